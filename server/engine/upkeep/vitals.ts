/** Vital signs of the deployment, with those that take several statements. */
import type { Vitals, VitalsStore } from '../ports/vitals.ts';

export function composeVitals(store: VitalsStore): Vitals {
  return {
    ...store,
    readDatabase: async () => ({
      oldestSnapshotMs: await store.readOldestSnapshotMs(),
      daysAhead: await store.countDaysAhead(),
      tables: await store.readTables(),
    }),
  };
}
