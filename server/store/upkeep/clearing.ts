/** Deletes data after its retention: one replica at a time, and it never blocks others for longer than 100 ms. */
import type { Database, Session, Statement } from '../driver/database.ts';

/** The advisory lock of the replica that clears. */
export const CLEARING_LOCK = 7302420;

const begin = {
  name: 'begin_clearing',
  text: `SELECT set_config('lock_timeout', '100ms', true), pg_try_advisory_xact_lock(${CLEARING_LOCK}) AS mine`,
  row: { set_config: 'text', mine: 'bool' },
} satisfies Statement;

/**
 * Another transaction clears, holds a lock that is needed, or has just dropped the table: the next round tries again.
 */
const inTheWay = new Set(['55P03', '40P01', '42P01']);

export async function unlessInTheWay<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (inTheWay.has((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}

/** Runs `work` in a transaction. Undefined, and nothing done, if another transaction is in the way. */
export function clear<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T | undefined> {
  return unlessInTheWay(
    database.transaction(async (session) => {
      const [row] = await session.run(begin, []);
      return row?.mine ? work(session) : undefined;
    }),
  );
}
