/** Databases that record statements or change their text, for tests of the statements. */
import type { Database, Session, Statement } from '../../../server/store/driver/database.ts';

type Tap = <S extends Statement>(statement: S) => S;

function tapped(database: Database, tap: Tap): Database {
  const session = (inner: Session): Session => ({
    run: (statement, parameters) => inner.run(tap(statement), parameters),
  });
  return {
    ...session(database),
    transaction: (work) => database.transaction((inner) => work(session(inner))),
    script: (text) => database.script(text),
    close: () => database.close(),
  };
}

/** Keeps each executed statement, by name. */
export function recordStatements(database: Database): { database: Database; statements: Map<string, Statement> } {
  const statements = new Map<string, Statement>();
  const record: Tap = (statement) => {
    statements.set(statement.name, statement);
    return statement;
  };
  return { database: tapped(database, record), statements };
}

/** Keeps the names of the statements of each transaction, in their order; a statement outside one is alone. */
export function recordTransactions(database: Database): { database: Database; transactions: string[][] } {
  const transactions: string[][] = [];
  const begin = (): Tap => {
    const names: string[] = [];
    transactions.push(names);
    return (statement) => {
      names.push(statement.name);
      return statement;
    };
  };
  const alone = tapped(database, (statement) => begin()(statement));
  const transaction: Database['transaction'] = (work) => tapped(database, begin()).transaction(work);
  return { database: { ...alone, transaction }, transactions };
}

export interface Mutation {
  /** Name of the statement. */
  readonly of: string;
  readonly from: string;
  readonly to: string;
}

/** Plants bugs: statements run with a part of their text replaced. Throws when the part does not exist. */
export function plantBugs(database: Database, mutations: readonly Mutation[]): Database {
  return tapped(database, (statement) => {
    let { text } = statement;
    for (const { of, from, to } of mutations) {
      if (of !== statement.name) continue;
      if (!text.includes(from)) throw new Error(`${of} has no "${from}" to replace`);
      text = text.replaceAll(from, to);
    }
    return text === statement.text ? statement : { ...statement, name: '', text };
  });
}
