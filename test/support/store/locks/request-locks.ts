/** Calls that are carried out once, however often they are repeated. */
import { decideCancel } from '../../../../server/domain/jobs/decide.ts';
import type { StoreContext } from '../store-context.ts';
import { bytes, makeCall, makeJob, openWorker } from '../store-fixtures.ts';
import { ruledCall, unique } from '../store-rules.ts';
import { groupOf, type Operation, turned } from './locked-rows.ts';

const operations: Record<string, Operation> = {
  'cancel once': async (store, isReversed, { requestIds, jobIds }) => {
    for (const requestId of turned(requestIds.slice(0, 3), isReversed))
      await store.together(async (inner) => {
        await inner.takeRequestId('default', { requestId, bodyHash: bytes('b') });
        await inner.change({ by: 'jobs', namespace: 'default', jobIds: turned(jobIds, isReversed) }, (run, nowUs) =>
          decideCancel(run, '', 1, { nowUs, random: 0.5 }),
        );
      });
  },
  'open sessions once': async (store, isReversed, { requestIds }) => {
    for (const requestId of turned(requestIds, isReversed)) await openWorker({ store } as StoreContext, { requestId });
  },
  'submit duplicates with keys': async (store, isReversed, { laneId, keys }) => {
    const names = turned(keys, isReversed);
    const rules = names.map((name) => unique(name));
    await store.submit([ruledCall(laneId, rules)]);
    const wishes = names.map((name, index) => ({ index, key: name, contentHash: bytes('c'), policy: 'FAIL' }) as const);
    const jobs = names.map((idempotencyKey) => makeJob(laneId, { idempotencyKey }));
    const ruled = rules.map((rule, index) => rule(index));
    await store.submit([makeCall(jobs, { rules: ruled, keys: wishes })]);
  },
};

export const requestLocks = groupOf(operations, async () => ({
  reset: 'DELETE FROM sessions WHERE request_id IS NOT NULL;',
}));
