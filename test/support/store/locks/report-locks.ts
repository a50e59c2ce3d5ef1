/** Reports of attempts that delete what earlier reports have stored, and erasures of ended jobs. */
import { completionOf, newJobId, payload } from '../store-fixtures.ts';
import { groupOf, type Operation, turned } from './locked-rows.ts';

const operations: Record<string, Operation> = {
  'log more than fits': (store, isReversed, { held }) => {
    const record = { timeUs: 0, level: 'INFO', message: 'x'.repeat(40_000), fields: {}, truncated: false } as const;
    const logs = (sequence: number) =>
      turned(held.slice(0, 4), isReversed).map((key) => ({ ...key, records: [{ ...record, sequence }] }));
    return store.saveLogs(logs(1)).then(() => store.saveLogs(logs(2)));
  },
  'complete after progress': async (store, isReversed, { held }) => {
    const keys = turned(held, isReversed);
    const progress = { fraction: 0.5, message: 'm', checkpoint: payload('c') };
    await store.saveProgress(
      keys.map((key) => ({ ...key, ...progress, sequence: isReversed ? 1 : 2 })),
      0,
    );
    await store.complete(keys.map((key) => completionOf(key)));
  },
  'report too late': (store, isReversed, { held }) =>
    store.noteLateReports(turned(held, isReversed).map((key) => ({ ...key, outcome: 'SUCCEEDED' }))),
  'complete and erase': async (store, isReversed, { held }) => {
    const keys = turned(held, isReversed);
    await store.complete(keys.map((key) => completionOf(key)));
    for (const { jobId } of turned(held.slice(0, 6), isReversed))
      await store.eraseJob({ namespace: 'default', jobId, auditId: newJobId(), reason: 'asked for' });
  },
};

export const reportLocks = groupOf(operations, async () => ({
  reset: 'DELETE FROM attempt_logs; DELETE FROM late_reports;',
}));
