/** Notes the methods of the store's statements that run more than one statement per call. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Statements } from '../../../server/engine/ports/store.ts';
import type { Database, Session } from '../../../server/store/driver/database.ts';

/** Methods that run several statements, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  ensurePartitions: 'DDL of one day at a time, so that no lock is held for long; no transaction can be around it',
  clearExpired: 'deletes in pages, each its own transaction, between which others take turns',
};

/** One call of a method, with the statements that it has started so far. */
interface Call {
  readonly method: string;
  readonly statements: string[];
}

const current = new AsyncLocalStorage<Call>();
const tooMany = new Set<Call>();

function noted(session: Session): Session {
  return {
    run(statement, parameters) {
      const call = current.getStore();
      if (call && call.statements.push(statement.name || statement.text) > 1) tooMany.add(call);
      return session.run(statement, parameters);
    },
  };
}

/** The database, which counts each statement for the method that starts it. */
export function noteStatements(database: Database): Database {
  return {
    ...noted(database),
    transaction: (work) => database.transaction((session) => work(noted(session))),
    script: (text) => database.script(text),
    noteDeleted: (table, rows) => database.noteDeleted?.(table, rows),
    close: () => database.close(),
  };
}

/** The statements on a database of `noteStatements`, those within a transaction included. */
export function noteMethods(statements: Statements): Statements {
  return {
    ...noteMethodsOf(statements, ''),
    transaction: (work) => statements.transaction((inner) => work(noteMethods(inner))),
  };
}

/** `prefix`: of the methods' names, such as `queues.`. */
export function noteMethodsOf<T extends object>(methods: T, prefix: string): T {
  const entries = Object.entries(methods).map(([name, value]) => {
    const method = prefix + name;
    if (typeof value !== 'function') return [name, noteMethodsOf(value, `${method}.`)];
    if (method in exceptions) return [name, value];
    return [name, (...args: unknown[]) => current.run({ method, statements: [] }, () => value(...args))];
  });
  return Object.fromEntries(entries);
}

/** The methods noted since the last time, each with its statements. */
export function takeNoted(): string[] {
  const found = new Set(Array.from(tooMany, ({ method, statements }) => `${method} runs ${statements.join(', ')}`));
  tooMany.clear();
  return [...found];
}
