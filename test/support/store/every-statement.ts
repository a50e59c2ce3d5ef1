/** Runs the statements of the store that have no pinned plan, so that every statement has been run. */

import { systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { end } from '../../../server/domain/jobs/decide.ts';
import type { Statement } from '../../../server/store/driver/database.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { createVitals } from './create-store.ts';
import { recordPlanned, tapOf } from './planned-statements.ts';
import type { StoreContext } from './store-context.ts';
import { bytes, holdOne, makeCall, makeJob, makeLane, newJobId, openWorker, submitMany } from './store-fixtures.ts';
import { debounced, inAnHour, ruledCall, unique } from './store-rules.ts';
import { changeOne, startedRun, startWorkflow } from './store-workflows.ts';

const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
const sampleId = '0198c0de-0000-7000-8000-000000000001';

/** Keys of idempotency and of rules, limits of keys, and requests that are repeated. */
async function repeat({ store }: StoreContext, laneId: number): Promise<void> {
  const request = { requestId: crypto.randomUUID(), bodyHash: bytes('b') };
  await store.takeRequestId('default', request);
  await store.takeRequestId('default', request);
  const rule = unique('every');
  await store.submit([ruledCall(laneId, [rule])]);
  const key = { index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' } as const;
  await store.submit([ruledCall(laneId, [rule], { idempotencyKey: key.key }, { keys: [key] })]);
  for (const _ of [1, 2]) await store.submit([ruledCall(laneId, [debounced('delayed')], inAnHour(Date.now() * 1_000))]);
  const limits = [{ index: 0, definition: 'every', limitId: crypto.randomUUID() }];
  await store.submit([makeCall([makeJob(laneId, { limitId: limits[0]?.limitId })], { limits })]);
}

/** A job that is ahead of another, and limits that hold jobs. */
async function explainJobs(context: StoreContext, laneId: number): Promise<void> {
  const { explain } = context.store;
  const [jobId = '', behind = ''] = await submitMany(context, laneId, 2);
  const { sessionId } = await openWorker(context);
  await explain.readRun(jobId);
  await explain.readQueueLanes({ namespace: 'default', name: 'default' }, laneId, 10);
  await explain.countBefore({ jobId: behind, laneIds: [laneId], ofKey: true }, 10);
  await explain.readFirst({ jobId: behind, laneIds: [laneId], ofKey: true });
  const buckets = { queueBucketId: sampleId, definitionBucketId: sampleId };
  const query = { namespace: 'default', queue: 'default', definition: 'plan', ...buckets, limitId: sampleId };
  await explain.readLimits(query);
  for (const reason of ['KEY_LIMIT', 'DEFINITION_LIMIT', 'QUEUE_LIMIT'] as const)
    await explain.readLimitBlockers(query, reason);
  await explain.readSuspects([sessionId], jobId);
  await explain.readWaitingLanes(10);
  await explain.readWorkflow(await startedWorkflow(context), 10);
}

async function startedWorkflow(context: StoreContext): Promise<string> {
  const jobId = await startWorkflow(context);
  const runs = [{ jobId, depth: 1, run: startedRun, failure: undefined, notUndone: undefined }];
  await context.store.together(({ workflows }) => workflows.write({ runs, steps: [], compensations: [] }));
  return jobId;
}

/** Vital signs, traces, and the clean-up of a cancelled job. */
async function watch(context: StoreContext): Promise<void> {
  const { database, store } = context;
  const vitals = createVitals(database);
  await vitals.readQueues(10);
  await vitals.readLineHeads(10);
  await vitals.readSessions(3);
  await vitals.readDatabase();
  const job = await holdOne(context);
  await store.readTraceOrigins([job.jobId]);
  await store.readTracedJobs([job.jobId]);
  const lane = await makeLane(context, { cleanup: true });
  const policyOfCleanup = definitionDefaults.cleanupRetryPolicy;
  const cleanup = { jobId: newJobId(), laneId: lane, rank: 5, runTimeoutMs: 1, retryPolicy: policyOfCleanup };
  await changeOne(context, job.jobId, (run) => ({ ...end('requestCancel', run, 'CANCELLED', { failure }), cleanup }));
}

/** Everything else: what no other test of the statements' plans needs. */
async function useTheRest(context: StoreContext): Promise<void> {
  const { database, store } = context;
  await migrate(database);
  await store.ensurePartitions();
  const key = { namespace: 'default', queue: 'default', definition: 'every', definitionVersion: 1, demands: '' };
  const laneId = await store.ensureLane({ ...key, suspect: false });
  await store.findLane({ ...key, suspect: false }, 'every');
  await store.findDefinition('default', 'plan', bytes('none'));
  await store.setRetention('default', 60_000);
  await store.readRetention('default');
  const requestId = crypto.randomUUID();
  for (const _ of [1, 2]) await openWorker(context, { requestId });
  await repeat(context, laneId);
  const parentAttempt = { jobId: sampleId, attempt: 1, sessionId: sampleId, detached: false };
  await store.submit([makeCall([makeJob(laneId)], { parentAttempt, traceUnder: (trace) => trace })]);
  await explainJobs(context, laneId);
  await watch(context);
}

/** Runs every statement of the store, and returns each by its name. */
export async function recordEvery(context: StoreContext): Promise<Map<string, Statement>> {
  const planned = await recordPlanned(context);
  const { tap, statements } = tapOf(context);
  await useTheRest(tap);
  return new Map([...planned, ...statements]);
}
