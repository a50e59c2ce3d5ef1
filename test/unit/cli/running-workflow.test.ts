/** The progress of a running workflow, which is shown with its job. */
import { create } from '@bufbuild/protobuf';
import { Code, JobSchema, JobState, MusterError, WorkflowSchema } from '@muster-jobs/sdk/grpc';
import { expect, it } from 'vitest';
import type { Connection } from '../../../server/cli/connection.ts';
import { runningWorkflow } from '../../../server/cli/workflow/how-far.ts';

const waiting = create(JobSchema, { jobId: 'j', state: JobState.WAITING });
const answering = (getWorkflow: () => Promise<unknown>) =>
  ({ namespace: 'default', workflows: { getWorkflow } }) as unknown as Connection;
const refusing = (reason: string) =>
  answering(() => Promise.reject(new MusterError({ code: Code.FAILED_PRECONDITION, message: 'x', reason })));

it('is that of a job that waits and has steps', async () => {
  const workflow = create(WorkflowSchema, { stepCount: 2 });
  expect(
    await runningWorkflow(
      answering(async () => ({ workflow })),
      waiting,
    ),
  ).toBe(workflow);
});

it('is none of a job that waits for something else', async () => {
  expect(await runningWorkflow(refusing('NOT_A_WORKFLOW'), waiting)).toBeUndefined();
});

it('fails as the call does', async () => {
  await expect(runningWorkflow(refusing('STORE_UNAVAILABLE'), waiting)).rejects.toMatchObject({
    reason: 'STORE_UNAVAILABLE',
  });
});
