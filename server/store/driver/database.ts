/** What the store needs of a database driver: prepared statements, alone or in a transaction. */
import type { Element } from './arrays.ts';

/** A prepared statement. The name is unique in the program. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Each row that it writes is a job that has ended: counted by the driver that has to clean up after them. */
  readonly endsJobs?: boolean;
}

/**
 * A parameter: text, number, boolean, bytes or NULL; or a list for a parameter that the statement casts to an array, such as
 * `$1::uuid[]`: of strings, numbers (of times: microseconds since 1970), booleans or bytes, undefined being NULL.
 */
export type Parameter = Exclude<Element, undefined> | readonly Element[];

/** A row by column name: bigint and timestamptz come as numbers (microseconds since 1970), bytea as bytes. */
// biome-ignore lint/suspicious/noExplicitAny: each statement's function gives its rows their type
export type Row = Record<string, any>;

export interface Session {
  /**
   * In a transaction, statements that are asked for without waiting for each other go out together: they run one after the
   * other, in that order, and cost one round trip. What follows one that fails fails as well, so wait for them by Promise.all,
   * in order. Those that nobody waits for go out with the COMMIT; the transaction fails with them.
   */
  run(statement: Statement, parameters: readonly Parameter[]): Promise<Row[]>;
}

export interface Database extends Session {
  /** Runs `work` in one READ COMMITTED transaction; what it throws rolls back and is thrown on. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs a script of several statements, outside any transaction of ours. For migrations. */
  script(text: string): Promise<void>;
  /** Rows of a table were deleted: for a driver whose database does not clean up by itself. */
  noteDeleted?(table: string, rows: number): void;
  close(): Promise<void>;
}

/** Runs `work` and then `commit`, which fails with each statement that has failed. */
export async function runAndCommit<T>(
  session: Session,
  work: (session: Session) => Promise<T>,
  commit: () => Promise<unknown>,
): Promise<T> {
  const answers = new Set<Promise<Row[]>>();
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

/** A database for work within a transaction that is open: what would begin one of its own joins it. */
export function within(session: Session): Database {
  const notHere = () => Promise.reject(new Error('not within a transaction'));
  return {
    run: (statement, parameters) => session.run(statement, parameters),
    transaction: (work) => work(session),
    script: notHere,
    close: notHere,
  };
}
