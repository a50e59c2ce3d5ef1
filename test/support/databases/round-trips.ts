/** Counts round trips to the database: statements that go out without waiting for an answer in between share one. */
import type { Database, Session } from '../../../server/store/driver/database.ts';

export interface CountedTrips {
  readonly database: Database;
  /** Of one piece of work, in which no other work uses the database. */
  readonly of: (work: () => Promise<unknown>) => Promise<number>;
}

export function countRoundTrips(inner: Database): CountedTrips {
  let trips = 0;
  let hasAnswered = true;
  const send = () => {
    if (hasAnswered) trips++;
    hasAnswered = false;
  };
  const counted = (session: Session): Session['run'] => {
    return async (statement, parameters) => {
      send();
      return session.run(statement, parameters).finally(() => {
        hasAnswered = true;
      });
    };
  };
  const database: Database = {
    ...inner,
    run: counted(inner),
    // BEGIN goes out with the first statement, and COMMIT with the statements that nobody has waited for.
    async transaction(work) {
      const result = await inner.transaction(async (session) => {
        const found = await work({ run: counted(session) });
        send();
        return found;
      });
      hasAnswered = true;
      return result;
    },
  };
  return {
    database,
    async of(work) {
      trips = 0;
      hasAnswered = true;
      await work();
      return trips;
    },
  };
}
