/** CancelJob with a grace period of its own: what the worker receives, and what becomes of a result that comes too late. */
import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { CancelStage, type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { cancelJob, pauseJob, submitJobs, waitJob } = JobService.method;
const now = { seconds: 0n, nanos: 0 };
const minute = { seconds: 60n, nanos: 0 };

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function cancel(jobId: string, grace: { seconds: bigint; nanos: number }): Promise<Job> {
  return (await world.rpc.call(cancelJob, { jobId, reason: 'enough', grace })).job as Job;
}

async function start() {
  const held = await world.hold();
  await held.worker.started(held.attempt);
  return held;
}

describe('CancelJob without a grace period', () => {
  it('ends a job that runs at once, and asks its handler to stop all the same', async () => {
    const { worker, jobId } = await start();
    expect(await cancel(jobId, now)).toMatchObject({
      state: JobState.CANCELLED,
      stateReason: 'enough',
      cancellation: { stage: CancelStage.FENCED },
    });
    await eventually('the notice arrives', () => worker.cancelled.includes(jobId));
  });

  it('is repeated to a worker that still lists the attempt', async () => {
    const { worker, jobId, attempt } = await start();
    await cancel(jobId, now);
    await eventually('a heartbeat says so', async () => {
      const { cancels } = await worker.started(attempt);
      return cancels.some((notice) => notice.attempt === attempt.attempt);
    });
  });

  it('refuses a result that comes too late, and notes the first one with the attempt', async () => {
    const { worker, jobId, attempt } = await start();
    await cancel(jobId, now);
    expect(await worker.report({ of: attempt, outcome: outcomes.result('late') })).toEqual(['LEASE_LOST']);
    expect(await worker.report({ of: attempt, outcome: outcomes.failure() })).toEqual(['LEASE_LOST']);
    const { attempts, state } = await world.getJob(jobId);
    expect(state).toBe(JobState.CANCELLED);
    expect(attempts).toMatchObject([{ lateReport: { outcome: AttemptOutcome.SUCCEEDED } }]);
  });

  it('does not take a confirmed cancel for a late result', async () => {
    const { worker, jobId, attempt } = await start();
    await cancel(jobId, now);
    expect(await worker.report({ of: attempt, outcome: outcomes.cancelled })).toEqual(['DUPLICATE']);
    expect((await world.getJob(jobId)).attempts[0]?.lateReport).toBeUndefined();
  });

  it('ends a job that is being cancelled already', async () => {
    const { jobId } = await start();
    expect((await cancel(jobId, minute)).state).toBe(JobState.CANCELLING);
    expect(await cancel(jobId, now)).toMatchObject({ state: JobState.CANCELLED, stateReason: 'enough' });
  });

  it('holds for the members of a batch', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const { batch } = await world.rpc.call(BatchService.method.createBatch, { batch: {} });
    const batchJobId = batch?.job?.jobId ?? '';
    const { jobs } = await world.rpc.call(submitJobs, { jobs: [{ definition }, { definition }], batchJobId });
    await worker.take(2);
    await cancel(batchJobId, now);
    const { job } = await world.rpc.call(waitJob, { jobId: batchJobId, timeout: { seconds: 30n } });
    expect(job?.state).toBe(JobState.CANCELLED);
    for (const { jobId } of jobs)
      expect((await world.getJob(jobId)).cancellation).toMatchObject({ stage: CancelStage.FENCED });
  });
});

describe('CancelJob with a grace period of its own', () => {
  it('waits so long for the handler, and shortens an earlier period', async () => {
    const { jobId } = await start();
    expect((await cancel(jobId, minute)).state).toBe(JobState.CANCELLING);
    await cancel(jobId, { seconds: 0n, nanos: 1_000_000 });
    await eventually('it is over', async () => (await world.stateOf(jobId)) === 'CANCELLED');
  });

  it('refuses one of more than an hour, and changes nothing', async () => {
    const { jobId } = await world.hold();
    const refusal = await world.rpc.refused(cancelJob, { jobId, grace: { seconds: 3_601n } });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['grace'] });
    expect(await world.stateOf(jobId)).toBe('ASSIGNED');
  });
});

describe('a result that comes after a suspension', () => {
  it('is noted with an attempt that is not the last', async () => {
    const { worker, jobId, attempt } = await start();
    await world.rpc.call(pauseJob, { jobId, running: true, grace: { seconds: 0n, nanos: 1_000_000 } });
    await eventually('the job is paused', async () => (await world.stateOf(jobId)) === 'PAUSED');
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    const { attempts } = await world.getJob(jobId);
    expect(attempts).toMatchObject([{ lateReport: { outcome: AttemptOutcome.FAILED } }]);
  });
});
