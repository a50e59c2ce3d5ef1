/** Transactions that a test keeps open, and who waits for whose lock, as the PostgreSQL server reports it. */
import type { Database, Session } from '../../../server/store/driver/database.ts';
import { eventually } from '../base/eventually.ts';

const readWaiting = {
  name: '',
  text: `SELECT query FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND cardinality(pg_blocking_pids(pid)) > 0`,
};

/** Resolves once the work waits for a lock or is over, with the first of the two. */
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
  /** The result of the work. Its transaction is still open. */
  readonly result: T;
  /** Commits, and resolves when that is done. */
  commit(): Promise<void>;
}

/** Runs `work` in a transaction that stays open until `commit` is called. */
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
