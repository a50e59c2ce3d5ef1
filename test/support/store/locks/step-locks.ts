/** Workflows: their starts, their steps, and the entries of their inbox. */
import { decideCancel } from '../../../../server/domain/jobs/decide.ts';
import { decideFinish } from '../../../../server/domain/workflows/life.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import type { StoreContext } from '../store-context.ts';
import { makeCall, makeJob, makeLane, newJobId, payload, submitMany } from '../store-fixtures.ts';
import { makeCompensation, makeStep, start, startedRun } from '../store-workflows.ts';
import { groupOf, type LockedRows, type Operation, openAgain, quoted, turned } from './locked-rows.ts';

interface StepRows {
  readonly workflowLaneIds: readonly number[];
  readonly workflowIds: readonly string[];
}

const done = { state: 'SUCCEEDED', result: payload('done') } as const;

/** Writes everything that a step of progress may change, as in the engine. */
async function advance(store: Store, ids: readonly string[], laneId: number, isReversed: boolean): Promise<void> {
  const { workflows, inbox, stepCache, submit, change } = store;
  const jobIds = (await workflows.lock(ids)).map(({ jobId }) => jobId);
  const steps = turned([1, 2], isReversed);
  const written = { depth: 1, run: startedRun, failure: undefined, notUndone: undefined };
  const results = turned(['a', 'b', 'c'], isReversed).map((key) => ({
    namespace: 'default',
    keyHash: Buffer.from(key),
  }));
  await Promise.all([
    workflows.write({
      runs: turned(jobIds, isReversed).map((jobId) => ({ jobId, ...written })),
      steps: turned(jobIds, isReversed).flatMap((jobId) => steps.map((step) => makeStep(jobId, step))),
      compensations: turned(jobIds, isReversed).flatMap((jobId) => steps.map((step) => makeCompensation(jobId, step))),
    }),
    inbox.add(jobIds.map((jobId) => ({ jobId, kind: 'CONTINUE' }))),
    stepCache.keep(results.map((result) => ({ ...result, jobId: ids[0] as string, maxAgeMs: 60_000 }))),
    submit([makeCall(jobIds.map((jobId) => makeJob(laneId, { parent: { jobId, step: 1, item: 0 } })))]),
    change({ by: 'jobs', namespace: 'default', jobIds: jobIds.slice(0, 2) }, (run) => decideFinish(run, done)),
  ]);
}

const operations: Record<string, Operation<StepRows>> = {
  'start workflows': (store, isReversed, { workflowLaneIds }) =>
    store.change({ by: 'workflows', laneIds: turned(workflowLaneIds, isReversed), limit: 9 }, start),
  'advance workflows': (store, isReversed, { workflowIds, laneId }) =>
    store.together((inner) => advance(inner, turned(workflowIds, isReversed), laneId, isReversed)),
  'skip steps': async (store, isReversed, { workflowIds }) => {
    for (const jobId of turned(workflowIds, isReversed))
      await store.together(async ({ workflows }) => {
        const run = await workflows.lockRun(jobId);
        if (!run) return;
        await workflows.readSteps([{ jobId, step: 1 }]);
        const audit = { namespace: 'default', auditId: newJobId() };
        await workflows.skipStep({ ...audit, jobId, step: 1, name: 'a', reason: '' });
      });
  },
  'cancel workflows': (store, isReversed, { workflowIds, jobIds }) =>
    store.change(
      { by: 'jobs', namespace: 'default', jobIds: turned([...workflowIds, ...jobIds], isReversed) },
      (run, nowUs) => decideCancel(run, '', 1, { nowUs, random: 0.5 }),
    ),
  'drop abandoned entries': async ({ inbox }, isReversed) => {
    const { cancels } = await inbox.findAbandoned(0, 10, 0);
    await inbox.drop(turned(cancels, isReversed).map(({ rowId }) => rowId));
  },
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<StepRows & { readonly reset: string }> {
  const workflowLaneIds = [await makeLane(context), await makeLane(context)];
  const made = workflowLaneIds.map(async (laneId) =>
    (await submitMany(context, laneId, 16)).map((jobId, i) => ({ jobId, laneId, state: i < 4 ? 3 : 7 })),
  );
  const jobs = (await Promise.all(made)).flat();
  const workflowIds = jobs.flatMap(({ jobId, state }) => (state === 7 ? [jobId] : []));
  const ended = await submitMany(context, workflowLaneIds[0] as number, 2);
  const reset = `${openAgain(jobs)}
DELETE FROM workflow_runs; DELETE FROM workflow_steps; DELETE FROM step_compensations; DELETE FROM step_cache;
INSERT INTO workflow_runs (job_id, depth, phase, running, ended, stop_reason, failed, cleanup_failed)
SELECT w, 1, 1, 1, 0, 0, false, false FROM unnest(ARRAY[${quoted(workflowIds)}]::uuid[]) AS w;
INSERT INTO job_inbox (subject_id, kind, entry_time)
SELECT w, kind, muster_now() FROM unnest(ARRAY[${quoted([...workflowIds, ...ended])}]::uuid[]) AS w,
  unnest(ARRAY[5, 6, 5]) AS kind;`;
  return { workflowLaneIds, workflowIds, reset };
}

export const stepLocks = groupOf(operations, makeRows);
