/** Workflows for store tests, and one call of each of their statements. */
import { randomUUID } from 'node:crypto';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { continueAs, decideCancel, end } from '../../../server/domain/jobs/decide.ts';
import type { Change, OpenRun } from '../../../server/domain/jobs/run.ts';
import { newRun, type WorkflowRun } from '../../../server/domain/workflows/phases.ts';
import type { ClaimedJob } from '../../../server/engine/ports/dispatch.ts';
import type { NewJob } from '../../../server/engine/ports/submissions.ts';
import type { LockedWorkflow, WrittenCompensation, WrittenStep } from '../../../server/engine/ports/workflows.ts';
import type { StoreContext } from './store-context.ts';
import { claimMany, makeCall, makeJob, makeLane, only, openWorker, payload, submitMany } from './store-fixtures.ts';

export const start = (run: OpenRun): Change => continueAs('start', run, { state: 'WAITING' });

/** The end of a workflow that was not cancelled. */
export const succeed = (run: OpenRun): Change =>
  end('finish', run, 'SUCCEEDED', { result: { ...payload('done'), metadata: { a: 'b' } } });

/** A workflow with one running step. */
export const startedRun: WorkflowRun = { ...newRun, running: 1 };

/** A started workflow. */
export async function startWorkflow(context: StoreContext, changes: Partial<NewJob> = {}): Promise<string> {
  const laneId = changes.laneId ?? (await makeLane(context));
  const jobId = only(await submitMany(context, laneId, 1, changes));
  const started = await context.store.change({ by: 'workflows', laneIds: [laneId], limit: 10 }, start);
  if (!started.some(({ run }) => run.jobId === jobId)) throw new Error('the workflow was not started');
  return jobId;
}

/** Jobs of items from 0 on, READY in a separate lane of the step. */
export async function startChildren(
  context: StoreContext,
  jobId: string,
  step: number,
  count: number,
): Promise<{ readonly laneId: number; readonly ids: string[] }> {
  const laneId = await makeLane(context);
  const jobs = Array.from({ length: count }, (_, item) =>
    makeJob(laneId, { rank: item, parent: { jobId, step, item } }),
  );
  await context.store.submit([makeCall(jobs)]);
  return { laneId, ids: jobs.map((job) => job.jobId) };
}

/** The given number of jobs of a step, leased by a session, in the order of their items. */
export async function holdChildren(
  context: StoreContext,
  jobId: string,
  step: number,
  count: number,
): Promise<ClaimedJob[]> {
  const { laneId } = await startChildren(context, jobId, step, count);
  const { sessionId } = await openWorker(context);
  return claimMany(context, laneId, sessionId, count);
}

export function cancelOne(context: StoreContext, jobId: string): Promise<Change[]> {
  return changeOne(context, jobId, (run) =>
    decideCancel(run, 'enough', 5_000, { nowUs: run.createTimeUs, random: 0.5 }),
  );
}

export function changeOne(context: StoreContext, jobId: string, decide: (run: OpenRun) => Change | undefined) {
  return context.store.change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, decide);
}

/** Locks workflows in a separate transaction, and takes their inbox rows. */
export function lockAll(context: StoreContext, jobIds: readonly string[]): Promise<LockedWorkflow[]> {
  return context.store.together((store) => store.workflows.lock(jobIds));
}

export function makeStep(jobId: string, step: number, changes: Partial<WrittenStep> = {}): WrittenStep {
  return {
    jobId,
    step,
    state: 'WAITING',
    counts: { succeeded: 0, failed: 0, upstreamFailed: 0, skipped: 0 },
    neededItems: undefined,
    childId: undefined,
    iteration: 0,
    fanOut: undefined,
    reason: undefined,
    adoptedFrom: undefined,
    skipReason: undefined,
    cacheKey: undefined,
    cacheTimeUs: undefined,
    ...changes,
  };
}

export function makeCompensation(
  jobId: string,
  step: number,
  changes: Partial<WrittenCompensation> = {},
): WrittenCompensation {
  return { jobId, step, endNumber: step, state: 'WAITING', compensationId: undefined, reason: undefined, ...changes };
}

export async function useWorkflows(context: StoreContext): Promise<void> {
  const { store } = context;
  const jobId = await startWorkflow(context);
  await store.workflows.readPastSteps(jobId);
  await store.workflows.readAskedSkips(jobId);
  const { ids } = await startChildren(context, jobId, 1, 2);
  await changeOne(context, ids[0] as string, (run) =>
    end('fail', run, 'FAILED', { failure: systemFailure('APPLICATION', 'T', 'm') }),
  );
  await store.together(async (together) => {
    const { inbox, workflows } = together;
    const [locked] = await workflows.lock([jobId]);
    if (!locked) throw new Error('nobody else has locked it');
    await workflows.lockRun(jobId);
    const skip = { jobId, step: 1, name: 'a', reason: '', namespace: 'default', auditId: randomUUID() };
    await workflows.skipStep(skip);
    await workflows.readSteps([{ jobId, step: 1 }]);
    await workflows.readCompensations([{ jobId, step: 1 }]);
    await workflows.readCompensationsOf(jobId);
    await workflows.readNextCompensation(jobId, undefined);
    await workflows.readOutcomes(ids);
    await workflows.readItemResults({ jobId, step: 1 }, 1_000);
    await workflows.write({
      runs: [{ jobId, depth: 1, run: startedRun, failure: undefined, notUndone: undefined }],
      steps: [makeStep(jobId, 1)],
      compensations: [makeCompensation(jobId, 1)],
    });
    await inbox.add([{ jobId, step: undefined, kind: 'CONTINUE' }]);
    await workflows.readOpenChildren({ jobId, step: undefined, butSteps: [] }, 10);
    await workflows.readChildren(jobId, undefined, 10);
    await inbox.drop([0]);
    const keyHash = Buffer.from(jobId);
    await together.stepCache.keep([{ namespace: 'default', keyHash, jobId, maxAgeMs: 1_000 }]);
    await together.stepCache.find('default', keyHash);
  });
  await store.inbox.findAbandoned(0, 10, 0);
  await store.inbox.findChildPauses(10);
  await store.stepTraces.readLaneIds([jobId]);
  await store.stepTraces.readNeededJobs([{ of: '', workflowJobId: jobId, step: 1, most: 100 }]);
  const audit = { namespace: 'default', beforeAuditId: undefined, limit: 10 };
  await store.listAudit({ ...audit, jobId });
  await store.listAudit({ ...audit, jobId: undefined });
}
