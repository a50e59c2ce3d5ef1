/** Clearing away what was kept long enough: one replica at a time, and never for longer in anybody's way than 100 ms. */
import type { Database, Session } from '../driver/database.ts';

/** The advisory lock of whoever clears. */
export const CLEARING_LOCK = 7302420;

const begin = {
  name: 'begin_clearing',
  text: `SELECT set_config('lock_timeout', '100ms', true), pg_try_advisory_xact_lock(${CLEARING_LOCK}) AS mine`,
};

/** Somebody else clears, or holds what would be needed, or has just dropped it: the next round will see. */
const inTheWay = new Set(['55P03', '40P01', '42P01']);

export async function unlessInTheWay<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (inTheWay.has((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}

/** Does a piece of it in a transaction. Undefined, and nothing done, when somebody else is in the way. */
export function clear<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T | undefined> {
  return unlessInTheWay(
    database.transaction(async (session) => {
      const [row] = await session.run(begin, []);
      return row?.mine ? work(session) : undefined;
    }),
  );
}
