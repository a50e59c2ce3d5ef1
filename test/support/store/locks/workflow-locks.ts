/** Operations on workflows. */
import { makeCall, makeJob } from '../store-fixtures.ts';
import { type Operation, turned } from './locked-rows.ts';

export const workflowLocks: Readonly<Record<string, Operation>> = {
  'advance a workflow to a blocked step': (store, isReversed, { laneId, jobIds }) => {
    const [workflowId = '', ...targets] = turned(jobIds, isReversed);
    const on = targets.map((jobId) => ({ on: { kind: 'JOB', jobId }, condition: 'SUCCEEDED' }) as const);
    return store.together(async (inner) => {
      await inner.dependencies.lockEdges('default');
      await inner.dependencies.link('default', workflowId, on);
      await inner.workflows.lock([workflowId]);
      await inner.submit([makeCall([makeJob(laneId, { dependencies: on })], { isDependent: true })]);
    });
  },
};
