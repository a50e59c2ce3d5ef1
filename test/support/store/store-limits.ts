/** Lanes, jobs and claims under limits, for store tests. */
import type { JobDefinition } from '../../../server/domain/definitions/definition.ts';
import { everyJob } from '../../../server/domain/jobs/job-filter.ts';
import type { ClaimedJob } from '../../../server/engine/ports/dispatch.ts';
import type { LimitsResult, LimitsToClaim } from '../../../server/engine/ports/limits.ts';
import type { NewJob, SubmitCall } from '../../../server/engine/ports/submissions.ts';
import type { StoreContext } from './store-context.ts';
import { makeCall, makeDefinition, makeJob, makeLane, openWorker, submitMany } from './store-fixtures.ts';

const noId = (digit: string) => `${digit.repeat(8)}-0000-8000-8000-000000000000`;

/** Ids of the buckets in these tests. A deployment has one per queue and definition. */
const buckets = { queueBucketId: noId('1'), definitionBucketId: noId('2') };

export interface LimitedLanes {
  readonly laneId: number;
  readonly atLimitLaneId: number;
}

/** The lane where a lane's jobs wait while their key is at its limit. */
export async function atLimitOf(context: StoreContext, laneId: number): Promise<number> {
  const [lane] = await context.store.readLanes([laneId]);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  const { laneId: _, limited: __, ...key } = lane;
  return context.store.ensureLane({ ...key, atLimit: true });
}

/** A definition with the given limits, and lanes of its jobs. */
export async function limitedLanes(
  context: StoreContext,
  limits: Partial<JobDefinition>,
  queue = 'default',
): Promise<LimitedLanes & { readonly definition: string }> {
  const definition = `limited-${crypto.randomUUID()}`;
  await applyLimits(context, definition, limits);
  const laneId = await makeLane(context, { definition, queue });
  return { definition, laneId, atLimitLaneId: await atLimitOf(context, laneId) };
}

export async function applyLimits(
  context: StoreContext,
  definition: string,
  limits: Partial<JobDefinition>,
): Promise<void> {
  const hash = new TextEncoder().encode(crypto.randomUUID());
  await context.store.applyDefinition(makeDefinition(definition, limits), hash, false);
}

/** What a claim of the lane, or a submission that is assigned from it, keeps. */
export async function limitsOf(context: StoreContext, laneId: number): Promise<LimitsToClaim> {
  const [lane] = await context.store.readLanes([laneId]);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  return { ...lane, ...buckets, ownUs: Date.now() * 1_000, atLimitLaneId: await atLimitOf(context, laneId) };
}

export async function claimLimited(
  context: StoreContext,
  laneId: number,
  sessionId: string,
  count: number,
  cursor = 0,
): Promise<{ readonly jobs: ClaimedJob[]; readonly seen: LimitsResult | undefined }> {
  const [lane] = await context.store.readLanes([laneId]);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  const atLimitLaneId = await atLimitOf(context, laneId);
  const permits = Array.from({ length: count }, () => ({ sessionId, creditId: 7, prefetch: false }));
  const { jobs, limits: seen } = await context.store.claim({
    permits,
    lanes: [{ laneId, cursor }],
    maxBytes: 8 << 20,
    suspects: lane.suspect,
    limits: { ...lane, ...buckets, ownUs: Date.now() * 1_000, atLimitLaneId },
  });
  return { jobs: jobs.toSorted((a, b) => a.rank - b.rank), seen };
}

/** Stores jobs with a permit each in a lane with limits. Returns the assigned ones, in the order of the jobs. */
export async function submitAssigned(
  context: StoreContext,
  laneId: number,
  sessionId: string,
  changes: readonly Partial<NewJob>[],
  call: Partial<SubmitCall> = {},
): Promise<{ readonly jobs: readonly NewJob[]; readonly assigned: readonly boolean[] }> {
  const [lane] = await context.store.readLanes([laneId]);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  const jobs = changes.map((change, i) => makeJob(laneId, { rank: i + 1, ...change }));
  const permits = new Map(jobs.map((job) => [job.jobId, { sessionId, creditId: 7, prefetch: false }]));
  const [result] = await context.store.submit([{ ...makeCall(jobs), ...call }], permits, {
    ...lane,
    ...buckets,
    ownUs: Date.now() * 1_000,
  });
  if (result?.kind !== 'stored') throw new Error(`not stored: ${result?.kind}`);
  return { jobs, assigned: result.jobs.map((job) => job.assigned) };
}

/** Calls everything that a store can do under limits, for tests of its statements. */
export async function useLimits(context: StoreContext): Promise<void> {
  const rateLimit = { units: 10, periodMs: 1_000, burst: 10 };
  const keyLimit = { key: '', maxConcurrency: 1, policy: 'WAIT', rateLimit } as const;
  const lanes = await limitedLanes(context, { maxConcurrency: 5, rateLimit, keyLimit });
  const limitId = crypto.randomUUID();
  await submitMany(context, lanes.laneId, 3, { limitId, limitKey: 'a', fairnessKey: 'b' });
  const { sessionId } = await openWorker(context);
  await claimLimited(context, lanes.laneId, sessionId, 2);
  await submitAssigned(context, lanes.laneId, sessionId, [{ limitId: crypto.randomUUID(), limitKey: 'c' }]);
  const query = { namespace: 'default', beforeJobId: undefined, limit: 10, scanLimit: 10 };
  await context.store.listJobs({ ...query, filter: { ...everyJob, states: ['READY'] } });
  await applyLimits(context, lanes.definition, {});
  await context.store.readWaitingKeys('00000000-0000-0000-0000-000000000000', 10);
  await context.store.requeueDeferred([limitId]);
}
