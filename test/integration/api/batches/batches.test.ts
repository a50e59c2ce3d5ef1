/** BatchService over the wire: batches created, filled, sealed and cancelled; when they end, and how. */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Batch, BatchCounts, BatchSchema } from '@muster-jobs/sdk/gen/muster/v1/batch_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { createBatch, getBatch, sealBatch } = BatchService.method;
const { cancelJob, getJob, listJobs, retryJob, retryJobs, submitJob, submitJobs, waitJob } = JobService.method;
const { applyJobDefinition, archiveJobDefinition } = JobDefinitionService.method;

type Init = MessageInitShape<typeof BatchSchema>;

const jsonOf = (data: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(data));
const resultOf = ({ outcome }: Job) => jsonOf(outcome.case === 'result' ? outcome.value.data : undefined);
const failureOf = ({ outcome }: Job) => (outcome.case === 'failure' ? outcome.value : undefined);
const numbers = ({ $typeName: _, ...counts }: BatchCounts) =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]));
const none = { members: 0, open: 0, succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };

describe.each(databaseKinds)('batches on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  async function create(batch: Init = {}, requestId = ''): Promise<{ jobId: string; batch: Batch }> {
    const made = (await world.rpc.call(createBatch, { batch, requestId })).batch as Batch;
    return { batch: made, jobId: made.job?.jobId ?? '' };
  }

  const get = async (jobId: string) => (await world.rpc.call(getBatch, { jobId })).batch as Batch;
  const seal = async (jobId: string, requestId = '') =>
    (await world.rpc.call(sealBatch, { jobId, requestId })).batch as Batch;
  const countsOf = async (jobId: string) => numbers((await get(jobId)).counts as BatchCounts);

  async function add(batchJobId: string, definition: string, count: number, requestId = ''): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ definition }));
    return (await world.rpc.call(submitJobs, { jobs, batchJobId, requestId })).jobs.map(({ jobId }) => jobId);
  }

  /** The batch's job once it has ended. */
  async function ended(jobId: string): Promise<Job> {
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    if (!job?.endTime) throw new Error(`batch ${jobId} has not ended`);
    return job;
  }

  /** A definition that fails for good, and a worker for it. */
  async function workers(): Promise<{ definition: string; worker: TestWorker }> {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    return { definition, worker: await world.openWorker(definition) };
  }

  async function run(worker: TestWorker, count: number, outcome: 'result' | 'failure'): Promise<void> {
    const attempts = await worker.take(count);
    const reports = attempts.map((of) => ({ of, outcome: outcomes[outcome]() }));
    await worker.report(...reports);
  }

  it('are created as waiting jobs without members', async () => {
    const { batch, jobId } = await create({ labels: { campaign: 'may' }, description: 'mails' });
    expect(stateName(batch.job?.state ?? 0)).toBe('WAITING');
    expect(batch).toMatchObject({ labels: { campaign: 'may' }, description: 'mails', sealed: false, endRate: 0 });
    expect(batch.job).toMatchObject({ definition: 'muster.batch', labels: { campaign: 'may' }, parentJobId: '' });
    expect(await countsOf(jobId)).toEqual(none);
  });

  it('end when they were sealed and all members have ended', async () => {
    const { definition, worker } = await workers();
    const { jobId } = await create();
    const ids = [...(await add(jobId, definition, 2)), ...(await add(jobId, definition, 1))];
    const { jobId: single } = await world.rpc.call(submitJob, { job: { definition }, batchJobId: jobId });
    expect((await world.getJob(single)).parentJobId).toBe(jobId);
    await run(worker, 3, 'result');
    await eventually('three ends are counted', async () => (await countsOf(jobId)).succeeded === 3);
    expect(await countsOf(jobId)).toEqual({ ...none, members: 4, open: 1, succeeded: 3 });
    expect((await get(jobId)).estimatedEndTime).toBeUndefined();
    const sealed = await seal(jobId);
    expect(sealed.sealed).toBe(true);
    expect(sealed.endRate).toBeGreaterThan(0);
    expect(sealed.estimatedEndTime).toBeDefined();
    expect(await world.stateOf(jobId)).toBe('WAITING');
    await run(worker, 1, 'result');
    expect(resultOf(await ended(jobId))).toEqual({ ...none, open: undefined, members: 4, succeeded: 4 });
    expect(ids).toHaveLength(3);
  });

  it('end at once if they are sealed without open members', async () => {
    const { jobId } = await create();
    await seal(jobId);
    expect(stateName((await ended(jobId)).state)).toBe('SUCCEEDED');
    // A second seal is no error, and changes nothing.
    expect((await seal(jobId)).sealed).toBe(true);
  });

  it('accept repeated calls by their request ids', async () => {
    const { definition } = await workers();
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    const { jobId } = await create({ labels: { a: '1', b: '2' } }, first);
    expect((await create({ labels: { b: '2', a: '1' } }, first)).jobId).toBe(jobId);
    await expect(create({ labels: { a: '3' } }, first)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    const ids = await add(jobId, definition, 2, second);
    expect(await add(jobId, definition, 2, second)).toEqual(ids);
    expect(await countsOf(jobId)).toMatchObject({ members: 2 });
    await seal(jobId, third);
    await seal(jobId, third);
    // A repeat gets the earlier answer, whatever the state of the batch.
    expect(await add(jobId, definition, 2, second)).toEqual(ids);
  });

  it('count no job that existed before', async () => {
    const { definition } = await workers();
    const { jobId } = await create();
    const keyed = (...keys: string[]) => keys.map((key) => ({ definition, idempotencyKey: `${definition}-${key}` }));
    await world.rpc.call(submitJobs, { jobs: keyed('a', 'b'), batchJobId: jobId });
    await world.rpc.call(submitJobs, { jobs: keyed('b', 'c'), batchJobId: jobId });
    await world.rpc.call(submitJobs, { jobs: keyed('c'), batchJobId: jobId });
    const unique = await world.define({ uniqueness: {} });
    await add(jobId, unique, 3);
    expect(await countsOf(jobId)).toMatchObject({ members: 4, open: 4 });
  });

  it('refuse members when they are sealed, cancelled or over', async () => {
    const { definition } = await workers();
    const refusal = async (jobId: string) => add(jobId, definition, 1).catch((error) => [error.code, error.reason]);
    const sealed = await create();
    await add(sealed.jobId, definition, 1);
    await seal(sealed.jobId);
    expect(await refusal(sealed.jobId)).toEqual([Code.FAILED_PRECONDITION, 'BATCH_SEALED']);
    const cancelled = await create();
    await add(cancelled.jobId, definition, 1);
    await world.rpc.call(cancelJob, { jobId: cancelled.jobId });
    expect(await refusal(cancelled.jobId)).toEqual([Code.FAILED_PRECONDITION, 'BATCH_CANCELLED']);
    await ended(cancelled.jobId);
    expect(await refusal(cancelled.jobId)).toEqual([Code.FAILED_PRECONDITION, 'BATCH_CANCELLED']);
    expect(await refusal(randomUUID())).toEqual([Code.NOT_FOUND, 'BATCH_NOT_FOUND']);
    const job = await world.submit(definition);
    expect(await refusal(job)).toEqual([Code.NOT_FOUND, 'BATCH_NOT_FOUND']);
    await world.rpc.call(applyJobDefinition, {
      definition: { namespace: 'other', name: definition, body: { case: 'task', value: {} } },
    });
    const call = world.rpc.call(submitJobs, { namespace: 'other', jobs: [{ definition }], batchJobId: sealed.jobId });
    await expect(call).rejects.toMatchObject({ reason: 'BATCH_NOT_FOUND' });
  });

  describe('with a failure policy', () => {
    async function jobAfter(batch: Init, failures: number, successes: number): Promise<Job> {
      const { definition, worker } = await workers();
      const { jobId } = await create(batch);
      await add(jobId, definition, failures + successes);
      await seal(jobId);
      if (failures > 0) await run(worker, failures, 'failure');
      if (successes > 0) await run(worker, successes, 'result');
      return ended(jobId);
    }

    it('fail by default if a member failed', async () => {
      const job = await jobAfter({}, 1, 2);
      expect(failureOf(job)).toMatchObject({ type: 'MembersFailed', message: '1 of 3 members did not succeed' });
    });

    it('succeed with up to the allowed number of failures', async () => {
      expect(resultOf(await jobAfter({ maxFailed: 1n }, 1, 2))).toMatchObject({ failed: 1, succeeded: 2 });
    });

    it('succeed with any number of failures if the policy says so', async () => {
      expect(resultOf(await jobAfter({ tolerateFailed: true }, 3, 0))).toMatchObject({ failed: 3 });
    });

    it('stop with one failure too many, sealed or not', async () => {
      const { definition, worker } = await workers();
      const { jobId } = await create({ maxFailed: 1n });
      const ids = await add(jobId, definition, 6);
      await run(worker, 2, 'failure');
      const job = await ended(jobId);
      expect(failureOf(job)?.message).toBe(
        '6 of 6 members did not succeed; the batch was stopped, since no more may fail',
      );
      expect(await countsOf(jobId)).toEqual({ ...none, members: 6, failed: 2, cancelled: 4 });
      const states = await Promise.all(ids.map((id) => world.stateOf(id)));
      expect(states.filter((state) => state === 'CANCELLED')).toHaveLength(4);
      await expect(add(jobId, definition, 1)).rejects.toMatchObject({ reason: 'BATCH_ENDED' });
    });
  });

  it('are cancelled with their open members, also those that a worker holds', async () => {
    const { definition, worker } = await workers();
    const { jobId } = await create();
    await add(jobId, definition, 5);
    const [held] = await worker.take(1);
    if (!held) throw new Error('nothing was assigned');
    await world.rpc.call(cancelJob, { jobId, reason: 'no longer wanted' });
    await eventually('four members are cancelled', async () => (await countsOf(jobId)).cancelled === 4);
    expect(await world.stateOf(jobId)).toBe('CANCELLING');
    await worker.report({ of: held, outcome: outcomes.result() });
    const job = await ended(jobId);
    expect(stateName(job.state)).toBe('CANCELLED');
    expect(failureOf(job)?.message).toBe('no longer wanted');
    const { open } = await countsOf(jobId);
    expect(open).toBe(0);
  });

  describe('with a callback', () => {
    async function callbacks(definition: string): Promise<Job[]> {
      return (await world.rpc.call(listJobs, { filter: { definition } })).jobs;
    }

    it('submit it once, with the outcome of the batch', async () => {
      const { definition, worker } = await workers();
      const callback = await world.define();
      const written = ' {"to": "ann", "n": 12345678901234567890 } ';
      const input = { data: new TextEncoder().encode(written), contentType: 'application/json' };
      const { jobId } = await create({ callback: { definition: callback, input, labels: { of: 'batch' } } });
      await add(jobId, definition, 2);
      await seal(jobId);
      await run(worker, 2, 'result');
      await ended(jobId);
      const batch = await get(jobId);
      const made = await callbacks(callback);
      expect(made.map((job) => job.jobId)).toEqual([batch.callbackJobId]);
      const [job] = made;
      expect(job).toMatchObject({ labels: { of: 'batch' }, parentJobId: '' });
      const { job: whole } = await world.rpc.call(getJob, { jobId: batch.callbackJobId });
      const { open: _, ...counts } = none;
      // Unchanged: no number is rounded.
      expect(new TextDecoder().decode(whole?.input?.data)).toMatch(
        /^\{"to": "ann", "n": 12345678901234567890,"batch":/,
      );
      expect(jsonOf(whole?.input?.data)).toEqual({
        to: 'ann',
        n: expect.any(Number),
        batch: jobId,
        state: 'SUCCEEDED',
        counts: { ...counts, members: 2, succeeded: 2 },
      });
    });

    it('submit it after a cancel, too', async () => {
      const callback = await world.define();
      const { jobId } = await create({ callback: { definition: callback } });
      await world.rpc.call(cancelJob, { jobId });
      await ended(jobId);
      expect(await callbacks(callback)).toHaveLength(1);
    });

    it('report why it could not be submitted', async () => {
      const callback = await world.define();
      const { jobId } = await create({ callback: { definition: callback } });
      await world.rpc.call(archiveJobDefinition, { name: callback });
      // Replicas learn of the archived definition within a second.
      await seal(jobId);
      expect(stateName((await ended(jobId)).state)).toBe('SUCCEEDED');
      const batch = await get(jobId);
      expect([batch.callbackJobId, batch.callbackError]).toEqual(['', expect.stringContaining('is archived')]);
    });
  });

  it('reserve their definition, muster.batch', async () => {
    const { jobId } = await create();
    await seal(jobId);
    await ended(jobId);
    const reserved = { reason: 'INVALID_FIELD' };
    const definition = { name: 'muster.batch', body: { case: 'task', value: {} } } as const;
    await expect(world.rpc.call(applyJobDefinition, { definition })).rejects.toMatchObject(reserved);
    await expect(world.rpc.call(archiveJobDefinition, { name: 'muster.batch' })).rejects.toMatchObject(reserved);
    await expect(world.submit('muster.batch')).rejects.toMatchObject(reserved);
    await expect(world.rpc.call(retryJob, { jobId })).rejects.toMatchObject(reserved);
    const filter = { definition: 'muster.batch', states: [JobState.CANCELLED, JobState.FAILED] };
    const redriven = await world.rpc.call(retryJobs, { filter });
    expect(redriven.jobIds).toEqual([]);
    expect(redriven.skippedCount).toBeGreaterThan(0);
  });
});
