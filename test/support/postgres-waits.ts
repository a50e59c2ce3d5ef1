/** Transactions held open on purpose, and who waits for whom meanwhile, as the PostgreSQL server itself says. */
import type { Database, Session } from '../../server/store/driver/database.ts';
import { eventually } from './eventually.ts';

const readWaiting = {
  name: '',
  text: `SELECT query FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND cardinality(pg_blocking_pids(pid)) > 0`,
};

/** Resolves once the work waits for somebody's lock, or is over: which of the two came first. */
export async function untilWaitsOrOver(database: Database, work: Promise<unknown>): Promise<'waits' | 'over'> {
  let over = false;
  const settle = () => {
    over = true;
  };
  work.then(settle, settle);
  return eventually('the work waits for a lock or is over', async () => {
    if (over) return 'over';
    return (await database.run(readWaiting, [])).length > 0 ? 'waits' : undefined;
  });
}

export interface HeldOpen<T> {
  /** What the work came to; its transaction is still open. */
  readonly result: T;
  /** Resolves when it is committed. */
  commit(): Promise<void>;
}

/** Runs `work` in a transaction that stays open until it is told to commit. */
export async function holdOpen<T>(database: Database, work: (session: Session) => Promise<T>): Promise<HeldOpen<T>> {
  const released = Promise.withResolvers<void>();
  const done = Promise.withResolvers<T>();
  const ended = database.transaction(async (session) => {
    done.resolve(await work(session));
    await released.promise;
  });
  ended.catch(done.reject);
  const commit = () => {
    released.resolve();
    return ended;
  };
  return { result: await done.promise, commit };
}
