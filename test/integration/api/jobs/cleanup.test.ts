/** Cancels: their stages, and the clean-up job of a job that had started, also after a failure. */

import { CleanupCondition } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { CancelStage, type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { StickyMode } from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import { ExhaustionAction, RetryAction, RetryCause } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { offerOf, outcomes } from '../base/test-worker.ts';
import { type Held, World } from '../base/world.ts';

const { cancelJob, failJob } = JobService.method;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function cancel(jobId: string, reason = 'no longer wanted'): Promise<Job> {
  const { job } = await world.rpc.call(cancelJob, { jobId, reason });
  if (!job) throw new Error('an answer without a job');
  return job;
}

/** A held job of a definition with a clean-up, and the name of the clean-up's handler. */
async function holdWithCleanup(
  changes: object = {},
  cleanupAfter: CleanupCondition = CleanupCondition.UNSPECIFIED,
): Promise<Held & { readonly cleaner: string }> {
  const cleaner = `clean-${crypto.randomUUID().slice(0, 8)}`;
  const value = { cleanupHandler: cleaner, cleanupTimeout: { seconds: 7n }, cleanupAfter };
  const body = { case: 'task', value } as const;
  return { ...(await world.hold({ body, ...changes })), cleaner };
}

const final = outcomes.failure({ nonRetryable: true });
const fail = ({ worker, attempt }: Held) => worker.report({ of: attempt, outcome: outcomes.failure() });

describe('the record of a cancel', () => {
  it('says that nothing was started', async () => {
    const job = await cancel(await world.submit(await world.define()));
    expect(job).toMatchObject({
      state: JobState.CANCELLED,
      cancellation: { stage: CancelStage.NOT_STARTED, reason: 'no longer wanted' },
      cleanupJobId: '',
    });
    expect(job.cancellation?.requestTime).toBeDefined();
  });

  it('says that the attempt was asked to stop, and later that it stopped', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const asked = await cancel(jobId);
    expect(asked).toMatchObject({ state: JobState.CANCELLING, cancellation: { stage: CancelStage.REQUESTED } });
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    const job = await world.getJob(jobId);
    expect(job.cancellation).toEqual({ ...asked.cancellation, stage: CancelStage.STOPPED });
  });

  it('says that the grace period was over', async () => {
    const { jobId } = await world.hold({ cancelGrace: { nanos: 1_000_000 } });
    await cancel(jobId);
    await eventually('the fence falls', async () => (await world.stateOf(jobId)) === 'CANCELLED');
    expect((await world.getJob(jobId)).cancellation).toMatchObject({ stage: CancelStage.FENCED });
  });

  it('says that a result came first', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await cancel(jobId);
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    expect(await world.getJob(jobId)).toMatchObject({
      state: JobState.SUCCEEDED,
      cancellation: { stage: CancelStage.OVERTAKEN, reason: 'no longer wanted' },
    });
  });

  it('is empty for a job that was not cancelled', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: outcomes.result() });
    expect((await world.getJob(jobId)).cancellation).toBeUndefined();
  });
});

describe('a clean-up', () => {
  it('follows a cancelled job that had started, with its input, on any worker with the handler', async () => {
    const { worker, jobId, attempt, cleaner } = await holdWithCleanup();
    await cancel(jobId);
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    const { cleanupJobId, input } = await world.getJob(jobId);
    expect(await world.getJob(cleanupJobId)).toMatchObject({
      state: JobState.READY,
      definition: attempt.definition,
      parentJobId: jobId,
      labels: { 'muster/cleanup-of': jobId },
      input,
    });
    const other = await world.openWorker(cleaner);
    const [cleaning] = await other.take(1);
    expect(cleaning).toMatchObject({ handler: cleaner, definition: attempt.definition, runTimeout: { seconds: 7n } });
    await other.report({ of: cleaning as never, outcome: outcomes.result() });
    expect(await world.stateOf(cleanupJobId)).toBe('SUCCEEDED');
  });

  it('runs on a worker with its handler, although the job was bound to another worker', async () => {
    const cleaner = `clean-${crypto.randomUUID().slice(0, 8)}`;
    const definition = await world.define({ body: { case: 'task', value: { cleanupHandler: cleaner } } });
    const worker = await world.openWorker(definition);
    const earlier = await world.submit(definition);
    const [first] = await worker.take(1);
    await worker.report({ of: first as never, outcome: outcomes.result() });
    const jobId = await world.submit(definition, { sticky: { jobId: earlier, mode: StickyMode.HARD } });
    const [attempt] = await worker.take(1);
    await cancel(jobId);
    await worker.report({ of: attempt as never, outcome: outcomes.cancelled });
    const other = await world.openWorkerOf({ ...offerOf(cleaner), workerName: 'another' });
    const [cleaning] = await other.take(1);
    expect(cleaning).toMatchObject({ handler: cleaner, definition });
  });

  it('follows also if the worker was gone before it could stop', async () => {
    const { worker, jobId } = await holdWithCleanup();
    await cancel(jobId);
    await worker.close();
    const { state, cancellation, cleanupJobId } = await world.getJob(jobId);
    expect({ state, stage: cancellation?.stage }).toEqual({ state: JobState.CANCELLED, stage: CancelStage.FENCED });
    expect(await world.stateOf(cleanupJobId)).toBe('READY');
  });

  it('continues after a failed attempt, whatever the retry policy of the definition', async () => {
    const { worker, jobId, attempt, cleaner } = await holdWithCleanup({ retryPolicy: { maxAttempts: 1 } });
    await cancel(jobId);
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    const other = await world.openWorker(cleaner);
    const [first] = await other.take(1);
    await other.report({ of: first as never, outcome: outcomes.failure() });
    const [second] = await other.take(1);
    expect(second).toMatchObject({ attempt: 2, handler: cleaner });
  });

  it('that is cancelled gets no clean-up', async () => {
    const { worker, jobId, attempt, cleaner } = await holdWithCleanup();
    await cancel(jobId);
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    const cleanupJobId = (await world.getJob(jobId)).cleanupJobId;
    const other = await world.openWorker(cleaner);
    const [cleaning] = await other.take(1);
    await cancel(cleanupJobId);
    await other.report({ of: cleaning as never, outcome: outcomes.cancelled });
    expect(await world.getJob(cleanupJobId)).toMatchObject({
      cancellation: { stage: CancelStage.STOPPED },
      cleanupJobId: '',
    });
  });

  it.each<[string, object, (held: Held) => Promise<unknown>]>([
    ['its last failure', { maxAttempts: 1 }, fail],
    ['a failure that is final', {}, ({ worker, attempt }) => worker.report({ of: attempt, outcome: final })],
    [
      'the loss of its worker',
      { rules: [{ causes: [RetryCause.INFRASTRUCTURE], action: RetryAction.FAIL }] },
      ({ worker }) => worker.close(),
    ],
    [
      'a person who gives it up',
      { maxAttempts: 1, onExhaustion: ExhaustionAction.PAUSE },
      async (held) => {
        await fail(held);
        expect(await world.getJob(held.jobId)).toMatchObject({ exhausted: true, cleanupJobId: '' });
        await world.rpc.call(failJob, { jobId: held.jobId });
      },
    ],
  ])('follows a job that has failed by %s, where its definition wants that', async (_how, retryPolicy, end) => {
    const held = await holdWithCleanup({ retryPolicy }, CleanupCondition.UNSUCCESSFUL);
    await end(held);
    const job = await world.getJob(held.jobId);
    expect([job.state, job.cancellation]).toEqual([JobState.FAILED, undefined]);
    const [cleaning] = await (await world.openWorker(held.cleaner)).take(1);
    expect(cleaning).toMatchObject({ handler: held.cleaner });
    expect(await world.getJob(job.cleanupJobId)).toMatchObject({ parentJobId: held.jobId });
  });

  it.each([
    ['a job that was never started', async () => cancel(await world.submit(await world.define(cleans)))],
    [
      'a job whose result came first',
      async () => {
        const { worker, jobId, attempt } = await holdWithCleanup();
        await cancel(jobId);
        await worker.report({ of: attempt, outcome: outcomes.result() });
        return world.getJob(jobId);
      },
    ],
    [
      'a job that has failed, by default',
      async () => {
        const held = await holdWithCleanup({ retryPolicy: { maxAttempts: 1 } });
        await fail(held);
        return world.getJob(held.jobId);
      },
    ],
    [
      'a job that has succeeded',
      async () => {
        const { worker, jobId, attempt } = await holdWithCleanup({}, CleanupCondition.UNSUCCESSFUL);
        await worker.report({ of: attempt, outcome: outcomes.result() });
        return world.getJob(jobId);
      },
    ],
  ])('does not follow %s', async (_what, ended) => {
    expect((await ended()).cleanupJobId).toBe('');
  });
});

const cleans = { body: { case: 'task', value: { cleanupHandler: 'cleaner' } } } as const;
