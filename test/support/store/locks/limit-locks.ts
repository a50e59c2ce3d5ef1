/** Claims, submissions and changes under the limits of a queue, of definitions and of keys. */
import type { LimitsToClaim } from '../../../../server/engine/ports/limits.ts';
import type { StoreContext } from '../store-context.ts';
import { bytes, jobsOf, MAX_BYTES, makeCall, makeDefinition, makeJob, submitMany } from '../store-fixtures.ts';
import { limitedLanes, limitsOf } from '../store-limits.ts';
import { groupOf, type LockedRows, type Operation, openAgain, quoted, turned } from './locked-rows.ts';

interface LimitRows {
  /** Those of two lanes of one queue. */
  readonly limits: readonly LimitsToClaim[];
  readonly limitIds: readonly string[];
}

const queue = { namespace: 'default', name: 'limited' };
const rateLimit = { units: 20, periodMs: 1_000, burst: 20 };
const limited = {
  maxConcurrency: 9,
  rateLimit,
  keyLimit: { key: '', maxConcurrency: 2, policy: 'WAIT', rateLimit },
} as const;

const permitsOf = (sessionIds: readonly string[]) =>
  sessionIds.flatMap((sessionId) => [1, 2].map((creditId) => ({ sessionId, creditId, prefetch: false })));

const operations: Record<string, Operation<LimitRows>> = {
  'claim under limits': async (store, isReversed, { limits, sessionIds }) => {
    const permits = permitsOf(turned(sessionIds, isReversed));
    for (const of of turned(limits, isReversed))
      await jobsOf(
        store.claim({ permits, lanes: [{ laneId: of.laneId, cursor: 0 }], limits: of, maxBytes: MAX_BYTES }),
      );
  },
  'claim jobs under limits that demand resources': async (store, isReversed, { limits, sessionIds }) => {
    const permits = permitsOf(turned(sessionIds, isReversed));
    const rest = { needs: { cpu: 1 }, suspects: isReversed, maxBytes: MAX_BYTES };
    for (const of of turned(limits, isReversed))
      await jobsOf(store.claim({ permits, lanes: [{ laneId: of.laneId, cursor: 0 }], limits: of, ...rest }));
  },
  'submit with permits under limits': async (store, isReversed, { limits, limitIds, sessionIds }) => {
    for (const of of turned(limits, isReversed)) {
      const jobs = turned(limitIds, isReversed).map((limitId) =>
        makeJob(of.laneId, { limitId, fairnessKey: limitId, hasRetryBudget: true }),
      );
      const [sessionId = ''] = turned(sessionIds, isReversed);
      const permits = new Map(jobs.map(({ jobId }) => [jobId, { sessionId, creditId: 3, prefetch: false }]));
      await store.submit([makeCall(jobs)], permits, of);
    }
  },
  'submit with limits of keys': (store, isReversed, { limits, limitIds }) => {
    const jobs = turned(limits, isReversed).flatMap(({ laneId }) =>
      turned(limitIds, isReversed).map((limitId) => makeJob(laneId, { limitId })),
    );
    const definitions = turned(limits, isReversed).flatMap(({ definition }) => limitIds.map(() => definition));
    const checked = jobs.map(({ limitId = '' }, index) => ({
      index,
      definition: definitions[index] as string,
      limitId,
    }));
    return store.submit([makeCall(jobs, { limits: checked })]);
  },
  'submit with fairness keys': (store, isReversed, { laneIds, limits, keys }) => {
    const lanes = turned([...laneIds, ...limits.map(({ laneId }) => laneId)], isReversed);
    const jobs = lanes.flatMap((laneId) =>
      turned(keys, isReversed).map((fairnessKey) => makeJob(laneId, { fairnessKey })),
    );
    return store.submit([makeCall(jobs)]);
  },
  'requeue deferred jobs': (store, isReversed, { limitIds }) => store.requeueDeferred(turned(limitIds, isReversed)),
  // Each definition and the queue get their first limit and lose their last.
  'change limits of definitions': async (store, isReversed, { limits }) => {
    for (const changes of turned([{}, { ...limited, retentionMs: 60_000 }], isReversed))
      for (const { definition } of turned(limits, isReversed))
        await store.applyDefinition(makeDefinition(definition, changes), bytes(crypto.randomUUID()), false);
  },
  'change limits of the queue': async ({ queues }, isReversed) => {
    for (const maxConcurrency of turned([undefined, 9], isReversed))
      await queues.update(queue, { settings: { maxConcurrency, rateLimit: undefined }, etag: '' });
  },
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<LimitRows & { readonly reset: string }> {
  await context.store.queues.create(queue, { maxConcurrency: 9, rateLimit });
  const lanes = [await limitedLanes(context, limited, queue.name), await limitedLanes(context, limited, queue.name)];
  const limits = await Promise.all(lanes.map(({ laneId }) => limitsOf(context, laneId)));
  const limitIds = [1, 2, 3].map(() => crypto.randomUUID());
  const jobs = await Promise.all(
    lanes.map(async ({ laneId, atLimitLaneId }) => {
      const jobIds = await submitMany(context, laneId, 9);
      return jobIds.map((jobId, i) => ({ jobId, laneId: i < 5 ? laneId : atLimitLaneId, state: 3 }));
    }),
  );
  const marks = jobs.flat().map(({ jobId }, i) => `('${jobId}'::uuid, '${limitIds[i % 3]}'::uuid)`);
  const reset = `
DELETE FROM rate_buckets;
DELETE FROM definition_limits;
INSERT INTO definition_limits SELECT * FROM kept_limits;
UPDATE queues SET (max_concurrency, rate_limit) = (9, '${JSON.stringify(rateLimit)}') WHERE name = '${queue.name}';
UPDATE lanes SET gates = CASE WHEN at_limit THEN 12 ELSE 4 END WHERE queue = '${queue.name}';
DELETE FROM job_definitions WHERE version > 1 AND name IN (${quoted(lanes.map(({ definition }) => definition))});
${openAgain(jobs.flat())}
UPDATE job_runs r SET limit_id = i.limit_id, limit_mark = CASE WHEN l.at_limit THEN 1 END
FROM (VALUES ${marks}) AS i (job_id, limit_id), lanes l WHERE r.job_id = i.job_id AND l.lane_id = r.lane_id;`;
  await context.database.script('CREATE TABLE kept_limits AS SELECT * FROM definition_limits');
  return {
    limits: limits.map((of, i) => ({
      ...of,
      definitionBucketId: limitIds[i] as string,
      get ownUs() {
        return Date.now() * 1_000;
      },
    })),
    limitIds,
    reset,
  };
}

export const limitLocks = groupOf(operations, makeRows);
