/** The store with the transactions that the engine composes of its statements. */
import type { Statements, Store } from '../ports/store.ts';
import { saveLogs } from '../sessions/save-logs.ts';

export function composeStore(statements: Statements): Store {
  const store: Store = {
    ...statements,
    together: (work) => statements.transaction((inner) => work(composeStore(inner))),
    saveLogs: (logs) => saveLogs(store, logs),
  };
  return store;
}
