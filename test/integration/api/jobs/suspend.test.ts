/** PauseJob of jobs that run, over the wire: what the worker receives, what its reports do, and how the job continues. */
import { randomUUID } from 'node:crypto';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, PausedTimeouts } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes, uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { type Held, World } from '../base/world.ts';

const { cancelJob, pauseJob, resumeJob, waitJob } = JobService.method;
const { pauseQueue, resumeQueue } = QueueService.method;
const suspended = { case: 'suspended', value: {} } as const;
const minute = { seconds: 60n, nanos: 0 };
const attemptOutcomes = { suspended: 9 };

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

type PauseOptions = { grace?: { seconds: bigint; nanos: number }; timeouts?: PausedTimeouts; reason?: string };

async function suspend(jobId: string, options: PauseOptions = {}): Promise<Job> {
  return (await world.rpc.call(pauseJob, { jobId, running: true, ...options })).job as Job;
}

async function resume(jobId: string): Promise<Job> {
  return (await world.rpc.call(resumeJob, { jobId })).job as Job;
}

/** A job whose handler has started. */
async function start(changes?: Parameters<World['hold']>[0]): Promise<Held> {
  const held = await world.hold(changes);
  await held.worker.started(held.attempt);
  expect(await world.stateOf(held.jobId)).toBe('RUNNING');
  return held;
}

describe('PauseJob of a job that runs', () => {
  it('asks the worker over the bus, and with each heartbeat, with what is left of the grace period', async () => {
    const { worker, jobId, attempt } = await start();
    const asked = await suspend(jobId, { grace: minute, reason: 'the disk is full' });
    expect(asked).toMatchObject({ state: JobState.RUNNING, stateReason: 'the disk is full' });
    expect(asked.suspendTime).toBeDefined();
    const [pushed] = await eventually('the request arrives', () => worker.suspends.length > 0 && worker.suspends);
    expect(pushed).toMatchObject({ jobId: uuidToBytes(jobId), attempt: attempt.attempt, grace: minute });
    for (let i = 0; i < 2; i++) {
      const { suspends } = await worker.started(attempt);
      expect(suspends).toMatchObject([{ jobId: uuidToBytes(jobId), attempt: attempt.attempt }]);
      expect(Number(suspends[0]?.grace?.seconds)).toBeLessThan(60);
    }
  });

  it('pauses the job when the handler stops, without counting the attempt; the next one gets its checkpoint', async () => {
    const { worker, jobId, attempt } = await start();
    await suspend(jobId);
    const checkpoint = { data: new TextEncoder().encode('page 7'), contentType: 'text/plain' };
    const held = [{ jobId: attempt.jobId, attempt: attempt.attempt, started: true }];
    const progress = [{ jobId: attempt.jobId, attempt: attempt.attempt, sequence: 1n, checkpoint }];
    await worker.beat({ heldAttempts: held, progress });
    expect(await worker.report({ of: attempt, outcome: suspended })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome: suspended })).toEqual(['DUPLICATE']);
    const paused = await world.getJob(jobId);
    expect(paused).toMatchObject({ state: JobState.PAUSED, attemptCount: 0, stateReason: 'paused on request' });
    expect(paused.suspendTime).toBeUndefined();
    expect(paused.attempts).toMatchObject([{ outcome: attemptOutcomes.suspended, counted: false }]);
    await worker.offer(1);
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await resume(jobId);
    const next = await eventually('the next attempt arrives', () => worker.assigned.find((one) => one.attempt === 2));
    expect(next).toMatchObject({ attemptCount: 0, checkpoint });
  });

  it('closes the attempt when the grace period is over, and refuses its late report', async () => {
    const { worker, jobId, attempt } = await start();
    await suspend(jobId, { grace: { seconds: 0n, nanos: 1_000_000 } });
    await eventually('the job is paused', async () => (await world.stateOf(jobId)) === 'PAUSED');
    expect(await worker.report({ of: attempt, outcome: outcomes.result('late') })).toEqual(['LEASE_LOST']);
    const { attempts, stateReason } = await world.getJob(jobId);
    expect(attempts).toMatchObject([{ outcome: attemptOutcomes.suspended, counted: false }]);
    expect(stateReason).toMatch(/did not stop within the grace period/);
  });

  it('pauses a job that was released, also one that was never seen running', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await suspend(jobId);
    expect(await worker.report({ of: attempt, outcome: outcomes.released(8) })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('PAUSED');
  });

  it('loses to a result that comes first', async () => {
    const { worker, jobId, attempt } = await start();
    await suspend(jobId);
    expect(await worker.report({ of: attempt, outcome: outcomes.result('done') })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  });

  it('loses to a cancel', async () => {
    const { worker, jobId, attempt } = await start();
    await suspend(jobId);
    await world.rpc.call(cancelJob, { jobId });
    const { suspends, cancels } = await worker.started(attempt);
    expect({ suspends, cancels: cancels.length }).toEqual({ suspends: [], cancels: 1 });
    expect(await worker.report({ of: attempt, outcome: suspended })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('CANCELLED');
  });

  it('is withdrawn by ResumeJob: a handler that stops all the same is run again at once', async () => {
    const { worker, jobId, attempt } = await start();
    await suspend(jobId);
    const resumed = await resume(jobId);
    expect(resumed).toMatchObject({ state: JobState.RUNNING, stateReason: '' });
    expect((await worker.started(attempt)).suspends).toEqual([]);
    await worker.report({ of: attempt, outcome: suspended });
    expect(await worker.take(1)).toMatchObject([{ jobId: uuidToBytes(jobId), attempt: 2 }]);
  });

  it('keeps a total timeout from ending the job, which starts anew with the resume', async () => {
    const { worker, jobId, attempt } = await start({ totalTimeout: { seconds: 1n, nanos: 500_000_000 } });
    await suspend(jobId, { timeouts: PausedTimeouts.STOP });
    await worker.report({ of: attempt, outcome: suspended });
    const { expireTime: _, ...paused } = await world.getJob(jobId);
    expect(paused.state).toBe(JobState.PAUSED);
    await eventually(
      'the timeout would be over',
      () => Date.now() > Number(paused.createTime?.seconds) * 1_000 + 3_500,
    );
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await resume(jobId);
    expect(await world.stateOf(jobId)).toBe('READY');
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    expect(job).toMatchObject({ state: JobState.FAILED, stateReason: 'it did not end within its total timeout' });
  });

  it.each([
    ['a grace period of a job that is not to be stopped', { grace: minute }, 'grace'],
    ['a grace period of more than an hour', { running: true, grace: { seconds: 3_601n, nanos: 0 } }, 'grace'],
    ['an unknown value', { running: true, timeouts: 9 as PausedTimeouts }, 'timeouts'],
  ])('refuses %s, and changes nothing', async (_what, request, field) => {
    const { jobId } = await world.hold();
    const refusal = await world.rpc.refused(pauseJob, { jobId, ...request });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: [field] });
    expect(await world.stateOf(jobId)).toBe('ASSIGNED');
  });
});

describe('PauseQueue with what runs in it', () => {
  it('asks all its handlers to stop; their jobs keep their places, and continue with the queue', async () => {
    const queue = 'evicted';
    const { worker, jobId, attempt } = await start({ queue });
    const other = await start();
    await world.rpc.call(pauseQueue, { name: queue, reason: 'the disk is full', running: true, grace: minute });
    const { suspends } = await worker.started(attempt);
    expect(suspends.map((one) => uuidFromBytes(one.jobId))).toEqual([jobId]);
    expect((await other.worker.started(other.attempt)).suspends).toEqual([]);
    expect((await world.getJob(jobId)).stateReason).toBe('queue evicted is paused: the disk is full');
    await worker.report({ of: attempt, outcome: suspended });
    const ready = await world.getJob(jobId);
    expect(ready).toMatchObject({ state: JobState.READY, attemptCount: 0 });
    await world.rpc.call(resumeQueue, { name: queue });
    expect(await worker.take(1)).toMatchObject([{ jobId: attempt.jobId, attempt: 2 }]);
  });

  it('lets run on what has not stopped when the queue is resumed', async () => {
    const queue = 'kept';
    const { worker, jobId, attempt } = await start({ queue });
    await world.rpc.call(pauseQueue, { name: queue, running: true });
    await world.rpc.call(resumeQueue, { name: queue });
    expect((await worker.started(attempt)).suspends).toEqual([]);
    expect(await worker.report({ of: attempt, outcome: outcomes.result('done') })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  });

  it('leaves a repeat without effect once the queue was resumed, and refuses a grace period alone', async () => {
    const queue = 'repeated';
    const { worker, attempt } = await start({ queue });
    const request = { name: queue, running: true, requestId: randomUUID() };
    await world.rpc.call(pauseQueue, request);
    await world.rpc.call(resumeQueue, { name: queue });
    await world.rpc.call(pauseQueue, request);
    expect((await worker.started(attempt)).suspends).toEqual([]);
    const refusal = await world.rpc.refused(pauseQueue, { name: queue, grace: minute });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['grace'] });
  });
});
