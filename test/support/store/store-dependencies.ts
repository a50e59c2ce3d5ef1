/** One call of each statement about dependencies. */

import { decideUnblock } from '../../../server/domain/dependencies/dependencies.ts';
import { end } from '../../../server/domain/jobs/decide.ts';
import type { StoreContext } from './store-context.ts';
import { makeCall, makeJob, makeLane, only, submitMany } from './store-fixtures.ts';
import { changeOne, startWorkflow } from './store-workflows.ts';

export async function useDependencies(context: StoreContext): Promise<void> {
  const { store } = context;
  const laneId = await makeLane(context);
  const workflowJobId = await startWorkflow(context);
  const jobId = only(await submitMany(context, laneId, 1));
  const waiting = makeJob(laneId, {
    runTimeUs: 4e15,
    dependencies: [
      { on: { kind: 'JOB', jobId }, condition: 'ENDED' },
      { on: { kind: 'STEP', workflowJobId, step: 'one', number: 1 }, condition: 'ENDED' },
      { on: { kind: 'ASSET', name: 'plan' }, condition: 'SUCCEEDED' },
    ],
  });
  await store.submit([makeCall([waiting], { isDependent: true })]);
  await changeOne(context, jobId, (run) => end('finish', run, 'CANCELLED', cancelled));
  await store.together(async ({ dependencies, inbox, change }) => {
    await dependencies.lockEdges('default');
    await dependencies.link('default', waiting.jobId, []);
    await dependencies.addEdges('default', waiting.jobId, []);
    const afterJob = { on: { kind: 'JOB', jobId }, condition: 'ENDED' } as const;
    await dependencies.keepTargets(waiting.jobId, [{ dependency: afterJob, ending: undefined }]);
    await inbox.takeEnds();
    await inbox.add([{ kind: 'STEP_ENDED', jobId: workflowJobId, step: 1, state: 'SUCCEEDED' }]);
    await dependencies.publish([{ namespace: 'default', name: 'plan', jobId, timeUs: 4e15 }]);
    await inbox.takeEnds();
    await change({ by: 'jobs', namespace: 'default', jobIds: [waiting.jobId] }, (run, nowUs) =>
      decideUnblock(run, { nowUs, random: 0 }),
    );
  });
  const parentAttempt = { jobId: waiting.jobId, attempt: 1, sessionId: jobId, detached: false };
  await store.submit([makeCall([makeJob(laneId)], { parentAttempt })]);
  await store.dependencies.linkChildren(workflowJobId, [waiting.jobId]);
  await store.dependencies.readAttached(workflowJobId, 10);
  await store.dependencies.listAssets('default', '', 10);
  await store.dependencies.readOpenJobs([waiting.jobId]);
  await store.dependencies.readDependencies([waiting.jobId]);
  await store.dependencies.readWaitingChildren([{ jobId: workflowJobId }], 10);
  await store.dependencies.readStages([workflowJobId]);
  await store.dependencies.readSteps([{ jobId: workflowJobId, step: 1 }]);
  await store.dependencies.readAncestors(waiting.jobId);
  const again = makeJob(laneId, { dependencies: [{ on: { kind: 'ASSET', name: 'other' }, condition: 'SUCCEEDED' }] });
  await store.submit([makeCall([again], { isDependent: true })]);
  await changeOne(context, again.jobId, (run) => end('requestCancel', run, 'CANCELLED', cancelled));
}

const cancelled = {
  failure: { type: 'C', message: 'm', stackTrace: '', failureCause: 'CANCELLED', nonRetryable: false },
} as const;
