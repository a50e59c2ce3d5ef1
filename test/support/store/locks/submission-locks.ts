/** Submissions whose keys other submissions may hold. */
import { bytes, makeCall, makeJob } from '../store-fixtures.ts';
import { debounced, ruledCall, throttled, unique } from '../store-rules.ts';
import { type Operation, turned } from './locked-rows.ts';

export const submissionLocks: Readonly<Record<string, Operation>> = {
  'submit with keys': (store, isReversed, { laneId, keys }) => {
    const jobs = turned(keys, isReversed).map((idempotencyKey) => makeJob(laneId, { idempotencyKey }));
    const wishes = jobs.map((job, index) => ({
      index,
      key: job.idempotencyKey as string,
      contentHash: bytes('c'),
      policy: 'USE_EXISTING' as const,
    }));
    return store.submit([makeCall(jobs, { keys: wishes })]);
  },
  'replace the jobs of keys': async (store, isReversed, { laneId, keys }) => {
    const jobs = turned(keys, isReversed).map((idempotencyKey) => makeJob(laneId, { idempotencyKey }));
    const replacing = (held: ReadonlyMap<number, string>) =>
      makeCall(jobs, {
        keys: jobs.map((job, index) => {
          const wish = {
            index,
            key: job.idempotencyKey as string,
            contentHash: bytes('r'),
            policy: 'REPLACE' as const,
          };
          const replacedJobId = held.get(index);
          return replacedJobId === undefined ? wish : { ...wish, replacedJobId };
        }),
      });
    const [first] = await store.submit([replacing(new Map())]);
    if (first?.kind !== 'keysHeld') return;
    await store.submit([replacing(new Map(first.held.map(({ index, jobId }) => [index, jobId])))]);
  },
  // Enough jobs for two such statements to overlap.
  'submit with rules': (store, isReversed, { laneId, keys }) => {
    const names = keys.flatMap((key) => [1, 2, 3, 4, 5].map((n) => `${key} ${n}`));
    const rules = turned(names, isReversed).flatMap((name) => [unique(name), throttled(`throttled ${name}`)]);
    return store.submit([ruledCall(laneId, rules)]);
  },
  'take over keys of rules': async (store, isReversed, { laneId, keys }) => {
    const states = ['RUNNING'] as const;
    const call = ruledCall(
      laneId,
      turned(keys, isReversed).map((key) => unique(`taken ${key}`, { states })),
    );
    await store.submit([call]);
  },
  'replace waiting jobs': (store, isReversed, { laneId, waitingJobs }) =>
    store.submit([
      ruledCall(
        laneId,
        turned(waitingJobs, isReversed).map((jobId) => debounced(jobId)),
        { state: 'SCHEDULED', runTimeUs: 1_000_000 },
      ),
    ]),
  'submit with request ids': (store, isReversed, { laneId, requestIds }) =>
    store.submit(
      turned(requestIds, isReversed).map((requestId) =>
        makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('b') }),
      ),
    ),
};
