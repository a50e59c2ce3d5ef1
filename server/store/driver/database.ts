/** The store's interface to a database driver: prepared statements, alone or in a transaction. */
import type { Element } from './arrays.ts';
import type { RowOf, RowType } from './row-types.ts';

/** A prepared statement. The name is unique in the program. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** The columns that it returns. Undefined: none. A test compares them with PostgreSQL's description. */
  readonly row?: RowType;
  /**
   * Each row that the statement writes is a job that has ended. The embedded database's driver counts them for VACUUM.
   */
  readonly endsJobs?: boolean;
}

/**
 * A parameter: text, number, boolean, bytes or NULL; or a list for a parameter that the statement casts to an array,
 * such as `$1::uuid[]`. A list holds strings, numbers (times in microseconds since 1970), booleans or bytes; undefined
 * is NULL.
 */
export type Parameter = Exclude<Element, undefined> | readonly Element[];

export interface Session {
  /**
   * In a transaction, statements sent without an await between them go out together: they run in that order, and cost
   * one round trip. After a failed statement all later ones fail as well, so await them by Promise.all, in order.
   * Statements that are not awaited go out with the COMMIT; if they fail, the transaction fails.
   */
  run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]>;
}

/** One connection without time limits, for work on the schema. What it locks for its session ends with the work. */
export interface Maintenance extends Session {
  script(text: string): Promise<void>;
}

export interface Database extends Session {
  /** Runs `work` in one READ COMMITTED transaction. An error of `work` rolls back and is thrown again. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs a script of several statements, without a transaction around it. */
  script(text: string): Promise<void>;
  /** For a driver that limits the time of statements, and whose database others may use at the same time. */
  maintain?<T>(work: (connection: Maintenance) => Promise<T>): Promise<T>;
  /** Called after rows of a table were deleted, for a driver whose database does not vacuum itself. */
  noteDeleted?(table: string, rows: number): void;
  close(): Promise<void>;
}

/** A database of a replica. */
export interface ReplicaDatabase extends Database {
  /** For reads that callers may repeat without bound: they never take the capacity that everything else needs. */
  readonly reads: Database;
}

/** Runs `work` and then `commit`. Fails if any statement has failed, awaited or not. */
export async function runAndCommit<T>(
  session: Session,
  work: (session: Session) => Promise<T>,
  commit: () => Promise<unknown>,
): Promise<T> {
  const answers = new Set<Promise<unknown>>();
  const result = await work({
    run(statement, parameters) {
      const answer = session.run(statement, parameters);
      answers.add(answer);
      answer.then(
        () => answers.delete(answer),
        () => {},
      );
      return answer;
    },
  });
  await Promise.all([...answers, commit()]);
  return result;
}

/** A database that runs single statements only. */
export function statementsOnly(run: Session['run']): Database {
  const notHere = () => Promise.reject(new Error('only single statements run here'));
  return { run, transaction: notHere, script: notHere, close: notHere };
}

/** A database for work within an open transaction: nested transactions join it. */
export function within(session: Session): Database {
  const notHere = () => Promise.reject(new Error('not within a transaction'));
  return {
    run: (statement, parameters) => session.run(statement, parameters),
    transaction: (work) => work(session),
    script: notHere,
    close: notHere,
  };
}
