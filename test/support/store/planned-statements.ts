/** Runs the statements whose plans are pinned, so that their texts are recorded. */
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail, decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../server/domain/jobs/decide-due.ts';
import { everyJob } from '../../../server/domain/jobs/job-filter.ts';
import { decideUpdate } from '../../../server/domain/jobs/pause.ts';
import type { Change } from '../../../server/domain/jobs/run.ts';
import { closed, countFailures } from '../../../server/domain/retries/circuit-breaker.ts';
import { minuteOf } from '../../../server/domain/retries/retry-budget.ts';
import { gateLanes } from '../../../server/store/dispatch/gated-lanes.ts';
import { readHeadsOf } from '../../../server/store/dispatch/lanes.ts';
import type { Statement } from '../../../server/store/driver/database.ts';
import { recordStatements } from '../databases/database-taps.ts';
import { createStore, createVitals } from './create-store.ts';
import { FAR_US } from './far.ts';
import { useBatches } from './store-batches.ts';
import { type StoreContext, sql } from './store-context.ts';
import { useDemands } from './store-demands.ts';
import { useDependencies } from './store-dependencies.ts';
import {
  bytes,
  claimMany,
  claimOf,
  completionOf,
  jobsOf,
  keyOf,
  makeCall,
  makeDefinition,
  makeJob,
  makeLane,
  openWorker,
  payload,
  submitMany,
} from './store-fixtures.ts';
import { useLimits } from './store-limits.ts';
import { useOutbox } from './store-outbox.ts';
import { reviveQueue, useQueues } from './store-queues.ts';
import { useRollouts } from './store-rollouts.ts';
import { useSchedules } from './store-schedules.ts';
import { useTriggers } from './store-triggers.ts';
import { useWaits } from './store-waits.ts';
import { useWorkflows } from './store-workflows.ts';

const policy = definitionDefaults.retryPolicy;
const moment = (nowUs: number) => ({ nowUs, random: 0.5 });
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
const sampleId = '0198c0de-0000-7000-8000-000000000001';

/** The context with its statements recorded. */
export function tapOf(context: StoreContext): {
  readonly tap: StoreContext;
  readonly statements: Map<string, Statement>;
} {
  const { database, statements } = recordStatements(context.database);
  return { tap: { ...context, database, store: createStore(database) }, statements };
}

/** Runs each statement whose plan is pinned. Returns all that it ran, by name. */
export async function recordPlanned(context: StoreContext): Promise<Map<string, Statement>> {
  const { tap, statements } = tapOf(context);
  const { database, store } = tap;
  const laneId = await makeLane(tap);
  const contentHash = bytes(crypto.randomUUID());
  await store.applyDefinition(makeDefinition('plan'), contentHash, false);
  await store.listDefinitions({ namespace: 'default', afterName: '', limit: 10, showArchived: false });
  await store.archiveDefinition('default', 'plan');
  await store.listOffers('default', sampleId, 10);
  await store.readOpenVersions('default', 'plan', 2);
  await store.submit([makeCall([makeJob(laneId)], { requestId: crypto.randomUUID(), bodyHash: bytes('b') })]);
  await store.submit([
    makeCall([makeJob(laneId, { idempotencyKey: 'k' })], {
      keys: [{ index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' }],
      requestId: crypto.randomUUID(),
      bodyHash: bytes('b'),
    }),
  ]);
  await store.submit([
    makeCall([makeJob(laneId, { idempotencyKey: 'k' })], {
      keys: [
        { index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'REPLACE', replacedJobId: sampleId },
      ],
    }),
  ]);
  await submitMany(tap, laneId, 10);
  const { sessionId } = await openWorker(tap);
  const [a, b, c, d, e] = (await claimMany(tap, laneId, sessionId, 8)).map(keyOf);
  if (!a || !b || !c || !d || !e) throw new Error('jobs were submitted');
  await jobsOf(store.claim({ ...claimOf([await makeLane(tap, { suspect: true })], sessionId, 1), suspects: true }));
  await useDemands(tap);
  await createVitals(database).readLimits();
  await store.observe([a, b], 0);
  await store.readAssigned([c]);
  await store.readHeld(sessionId, true);
  await store.readHeldOfQueue(
    { namespace: 'default', name: 'default' },
    { afterJobId: undefined, limit: 9, suspended: false },
  );
  await store.saveProgress([{ ...a, sequence: 1, fraction: 0.5, message: '', checkpoint: payload('c') }], 0);
  const record = { timeUs: 0, level: 'INFO', message: 'x'.repeat(40_000), fields: {}, truncated: false } as const;
  for (const sequence of [1, 2]) await store.saveLogs([{ ...a, records: [{ ...record, sequence }] }]);
  await store.readLogs({ jobId: a.jobId, attempt: undefined, after: { attempt: 0, sequence: 0 }, limit: 1 });
  await store.complete([completionOf(a)]);
  await store.readUnchecked([a]);
  await store.change({ by: 'attempts', attempts: [b] }, (run, nowUs) =>
    decideFail(run, failure, policy, moment(nowUs)),
  );
  await store.change({ by: 'jobs', namespace: 'default', jobIds: [b.jobId] }, (run, nowUs) =>
    decideCancel(run, '', 1, moment(nowUs)),
  );
  const [waiting] = await submitMany(tap, laneId, 1);
  await store.change(
    { by: 'jobs', namespace: 'default', jobIds: [waiting as string] },
    (run, nowUs) => decideUpdate(run, { priority: 1 }, moment(nowUs)) as Change,
  );
  await store.change({ by: 'session', sessionId, limit: 1 }, (run, nowUs) =>
    decideSessionEnd(run, 'LAPSE', moment(nowUs)),
  );
  await store.change({ by: 'due', limit: 1, latestUs: FAR_US }, (run, nowUs) => decideDue(run, policy, moment(nowUs)));
  const breaker = { namespace: 'default', name: 'plan' };
  await store.ensureLane(
    { namespace: 'default', queue: 'q', definition: 'plan', definitionVersion: 1, demands: '', suspect: false },
    'plan',
  );
  const opening = { name: 'plan', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
  await store.changeBreakers([breaker], (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
  await store.listBreakers('default', '', 10);
  await store.readOpenBreakers(breaker, 10);
  await store.readLanesToProbe(breaker, { laneId: 1, rank: 1 }, 10);
  await store.probeBreaker(breaker, claimOf([laneId], sessionId, 1), FAR_US);
  await store.changeBreakers([breaker], closed);
  await store.alignGatedLanes();
  const [retried] = await submitMany(tap, laneId, 1, { hasRetryBudget: true });
  await sql(
    tap,
    `UPDATE job_runs SET state = 2, due_time = muster_now() - interval '1 day' WHERE job_id = '${retried}'`,
  );
  const budget = { namespace: 'default', definition: 'plan', ratio: 0, minPerMinute: 1 };
  await store.change({ by: 'due', limit: 1, latestUs: FAR_US }, (run, nowUs) => {
    const change = decideDue(run, policy, moment(nowUs));
    return change?.kind === 'continue' ? { ...change, retryBudget: { ...budget, minute: minuteOf(nowUs) } } : change;
  });
  await store.readEndedJobs('default', [a.jobId]);
  await store.eraseJob({ namespace: 'default', jobId: a.jobId, reason: 'r', auditId: crypto.randomUUID() });
  await store.readClosed([a, b]);
  await store.noteLateReports([{ jobId: a.jobId, attempt: 1, outcome: 'SUCCEEDED' }]);
  await store.readLateReports([a.jobId]);
  await store.closePassedDeadlines(1, FAR_US);
  await store.readDeadlineMisses([a.jobId]);
  await store.readLastWorkers('default', [a.jobId]);
  await store.readJobs([a, b].map(({ jobId }) => ({ namespace: 'default', jobId })));
  await store.readGatedLanes([laneId]);
  await store.findJobs([a.jobId]);
  const query = { namespace: 'default', beforeJobId: undefined, limit: 1, scanLimit: 1 };
  await store.listJobs({ ...query, filter: everyJob });
  await store.listJobs({ ...query, filter: { ...everyJob, softDeadlineMissed: true } });
  await store.listJobs({ ...query, filter: { ...everyJob, states: ['READY', 'FAILED'] } });
  await sql(
    tap,
    `INSERT INTO lanes (namespace, queue, definition, definition_version, demands, suspect)
     SELECT 'many', 'q', 'd', n, '', false FROM generate_series(1, 501) AS n ON CONFLICT DO NOTHING`,
  );
  await store.listJobs({ ...query, namespace: 'many', filter: everyJob });
  await sql(tap, "DELETE FROM lanes WHERE namespace = 'many'");
  await store.readPageTokenKey();
  await store.findEnded([a.jobId]);
  await store.readRevisions([a.jobId]);
  await store.readHeads(0);
  await readHeadsOf(database, [laneId]);
  await useQueues(store);
  await useSchedules(store);
  await useTriggers(store);
  await useRollouts(store);
  await useWorkflows(tap);
  const workflow = crypto.randomUUID();
  await store.workflowReads.readRun(workflow);
  await store.workflowReads.readStates(workflow, -1);
  await store.workflowReads.readSteps(workflow, [0, 1]);
  await store.workflowReads.hasWaiting(workflow);
  await store.listJobs({ ...query, filter: { ...everyJob, parentJobId: workflow } });
  await useBatches(tap);
  await useWaits(tap);
  await useDependencies(tap);
  await database.transaction((session) => gateLanes(session, [laneId], 'breakerOpen', false));
  await useLimits(tap);
  await reviveQueue(tap);
  await store.nextDueUs();
  await useOutbox(store);
  await store.readLanes([laneId]);
  await store.renewSessions([{ sessionId, pingEcho: 0, draining: false }], 1_000, 0);
  await store.readSessions([sessionId]);
  await store.readLapsed(FAR_US);
  await store.shortenLeases(1_000, 0);
  await store.readClosing();
  await store.listSessions('default', sessionId, 10);
  await store.readWorker('default', sessionId);
  await store.readHeldJobs(sessionId, 10);
  await store.drainSession('default', sessionId);
  await store.closeSessions([sessionId], 'CLOSE');
  await store.endSessions([sessionId]);
  await sql(tap, `INSERT INTO retentions SELECT namespace, definition, 60000 FROM lanes WHERE lane_id = ${laneId}`);
  await store.clearExpired();
  return statements;
}
