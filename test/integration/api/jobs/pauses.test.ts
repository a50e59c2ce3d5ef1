/** PauseJob, ResumeJob and UpdateJob over the wire, in each state of a job, and their effect on workers. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { cancelJob, pauseJob, resumeJob, updateJob, waitJob } = JobService.method;
const hour = { start: { case: 'delay', value: { seconds: 3_600n } } } as const;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function pause(jobId: string, reason = ''): Promise<Job> {
  return (await world.rpc.call(pauseJob, { jobId, reason })).job as Job;
}

async function resume(jobId: string): Promise<Job> {
  return (await world.rpc.call(resumeJob, { jobId })).job as Job;
}

const inMs = (ms: number) => timestampFromMs(Date.now() + ms);

describe('PauseJob and ResumeJob', () => {
  it('stop a ready job, and pass it to the waiting worker', async () => {
    const name = await world.define();
    const jobId = await world.submit(name);
    expect(await pause(jobId, 'the shop is closed')).toMatchObject({
      state: JobState.PAUSED,
      stateReason: 'the shop is closed',
    });
    const worker = await world.openWorker(name);
    const next = await world.submit(name);
    expect((await worker.take(1)).map((item) => item.jobId)).toEqual([uuidToBytes(next)]);
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    expect(await resume(jobId)).toMatchObject({ stateReason: '' });
    expect((await worker.take(1)).map((item) => item.jobId)).toEqual([uuidToBytes(jobId)]);
  });

  it('keep the scheduled time of a job', async () => {
    const jobId = await world.submit(await world.define(), hour);
    const { runTime } = await world.getJob(jobId);
    expect(await pause(jobId)).toMatchObject({ state: JobState.PAUSED, runTime });
    expect(await resume(jobId)).toMatchObject({ state: JobState.SCHEDULED, runTime });
  });

  it('change nothing if the job is already in that state', async () => {
    const jobId = await world.submit(await world.define());
    // GetJob adds details to the wait reason, so only these fields are compared.
    const { revision, state } = await world.getJob(jobId);
    expect(await resume(jobId)).toMatchObject({ revision, state });
    const paused = await pause(jobId, 'first');
    expect(await pause(jobId, 'second')).toEqual(paused);
  });

  it('let the job expire and be cancelled meanwhile', async () => {
    const name = await world.define();
    const expiring = await world.submit(name, { expireTime: inMs(2_000) });
    await pause(expiring);
    const { job } = await world.rpc.call(waitJob, { jobId: expiring, timeout: { seconds: 30n } });
    expect(job?.state).toBe(JobState.EXPIRED);
    const cancelled = await world.submit(name);
    await pause(cancelled);
    await world.rpc.call(cancelJob, { jobId: cancelled });
    expect(await world.stateOf(cancelled)).toBe('CANCELLED');
    expect(await world.rpc.refused(resumeJob, { jobId: cancelled })).toMatchObject({ reason: 'JOB_ENDED' });
  });

  it('are refused for a job that a worker holds, which continues', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const refusal = await world.rpc.refused(pauseJob, { jobId });
    expect(refusal).toMatchObject({ code: Code.FAILED_PRECONDITION, preconditions: ['JOB_NOT_WAITING'] });
    expect(refusal.info?.metadata).toEqual({ job_id: jobId, state: 'ASSIGNED' });
    expect(await world.stateOf(jobId)).toBe('ASSIGNED');
    await worker.report({ of: attempt, outcome: outcomes.result() });
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  });

  it('start the next attempt at once for a job that was paused in its backoff and then moved up', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: outcomes.failure({ retryDelay: { seconds: 3_600n } }) });
    await pause(jobId);
    await world.rpc.call(updateJob, { jobId, runTime: inMs(-1_000) });
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await resume(jobId);
    expect(await worker.take(1)).toMatchObject([{ jobId: uuidToBytes(jobId), attempt: 2 }]);
  });
});

describe('UpdateJob', () => {
  it('starts a scheduled job at once', async () => {
    const name = await world.define();
    const worker = await world.openWorker(name);
    const jobId = await world.submit(name, hour);
    await world.rpc.call(updateJob, { jobId, runTime: inMs(-1) });
    expect(await worker.take(1)).toMatchObject([{ jobId: uuidToBytes(jobId) }]);
  });

  it('delays a ready job, which runs after the given time', async () => {
    const name = await world.define();
    const jobId = await world.submit(name);
    const runTime = inMs(1_500);
    const { job } = await world.rpc.call(updateJob, { jobId, runTime });
    expect(job).toMatchObject({ state: JobState.SCHEDULED, runTime });
    const worker = await world.openWorker(name);
    const [attempt] = await worker.take(1);
    expect(attempt).toMatchObject({ jobId: uuidToBytes(jobId) });
    const { assignTime } = await world.getJob(jobId);
    expect(Number(assignTime?.seconds) * 1_000 + (assignTime?.nanos ?? 0) / 1e6).toBeGreaterThanOrEqual(
      Number(runTime.seconds) * 1_000 + runTime.nanos / 1e6,
    );
  });

  it('moves a job ahead of earlier ones', async () => {
    const name = await world.define();
    const ids = [await world.submit(name), await world.submit(name), await world.submit(name)];
    const last = ids[2] as string;
    expect((await world.rpc.call(updateJob, { jobId: last, priority: 100 })).job).toMatchObject({ priority: 100 });
    const worker = await world.openWorker(name);
    expect((await worker.take(1)).map((item) => item.jobId)).toEqual([uuidToBytes(last)]);
  });

  it('sets an expiry that ends the job', async () => {
    const jobId = await world.submit(await world.define());
    const expireTime = inMs(300);
    expect((await world.rpc.call(updateJob, { jobId, expireTime })).job).toMatchObject({ expireTime });
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    expect(job?.state).toBe(JobState.EXPIRED);
  });

  it('merges two concurrent updates of different fields', async () => {
    const name = await world.define();
    const ids = await Promise.all(Array.from({ length: 20 }, () => world.submit(name, hour)));
    const runTime = inMs(7_200_000);
    await Promise.all(
      ids.flatMap((jobId) => [
        world.rpc.call(updateJob, { jobId, priority: 7 }),
        world.rpc.call(updateJob, { jobId, runTime }),
      ]),
    );
    for (const jobId of ids) expect(await world.getJob(jobId)).toMatchObject({ priority: 7, runTime });
  });

  it('refuses a run time after the expiry of the job', async () => {
    const jobId = await world.submit(await world.define(), { expireTime: inMs(3_600_000) });
    const refusal = await world.rpc.refused(updateJob, { jobId, runTime: inMs(7_200_000) });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['run_time'] });
  });

  it('is refused for a job that a worker holds', async () => {
    const { jobId } = await world.hold();
    expect(await world.rpc.refused(updateJob, { jobId, priority: 1 })).toMatchObject({ reason: 'JOB_NOT_WAITING' });
  });
});
