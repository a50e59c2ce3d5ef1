/** RetryBatch over the wire: which members are repeated, which can not be, and how the new batch ends. */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Client, Worker } from '@muster-jobs/sdk';
import { AuditAction } from '@muster-jobs/sdk/gen/muster/v1/audit_record_pb';
import { AuditService } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import type { Batch, BatchSchema } from '@muster-jobs/sdk/gen/muster/v1/batch_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import type { Job, JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { stateName, World } from '../base/world.ts';

const { createBatch, getBatch, sealBatch, retryBatch } = BatchService.method;
const { cancelJob, eraseJob, getJob, listJobs, retryJob, submitJobs, waitJob } = JobService.method;

type Init = MessageInitShape<typeof BatchSchema>;
type Submission = MessageInitShape<typeof JobSubmissionSchema>;

/** It expires before a worker can take it. */
const lost = { expireTime: { seconds: 1n } };

describe.each(databaseKinds)('retries of batches on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  async function fill(jobs: readonly Submission[], batch: Init = {}): Promise<{ jobId: string; members: string[] }> {
    const made = (await world.rpc.call(createBatch, { batch })).batch as Batch;
    const jobId = made.job?.jobId ?? '';
    const members: string[] = [];
    for (let at = 0; at < jobs.length; at += 10_000) {
      const stored = await world.rpc.call(submitJobs, { jobs: jobs.slice(at, at + 10_000), batchJobId: jobId });
      members.push(...stored.jobs.map((job) => job.jobId));
    }
    await world.rpc.call(sealBatch, { jobId });
    return { jobId, members };
  }

  async function fillAndEnd(jobs: readonly Submission[], batch: Init = {}) {
    const made = await fill(jobs, batch);
    return { ...made, job: await ended(made.jobId) };
  }

  const many = (definition: string, count: number, changes: Submission = {}): Submission[] =>
    Array.from({ length: count }, () => ({ definition, ...changes }));

  async function ended(jobId: string): Promise<Job> {
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 60n } });
    if (!job?.endTime) throw new Error(`batch ${jobId} has not ended`);
    return job;
  }

  const get = async (jobId: string) => (await world.rpc.call(getBatch, { jobId })).batch as Batch;
  const retry = async (jobId: string, requestId = '', reason = '') =>
    (await world.rpc.call(retryBatch, { jobId, requestId, reason })).batch?.job?.jobId ?? '';
  const refusalOf = (jobId: string) => world.rpc.refused(retryBatch, { jobId });

  /** Waits until all members exist. */
  const full = (jobId: string) =>
    eventually('the new batch is sealed', async () => {
      const batch = await get(jobId);
      return batch.sealed ? batch : undefined;
    });

  async function membersOf(jobId: string): Promise<Job[]> {
    const found: Job[] = [];
    for (let pageToken = '', more = true; more; ) {
      const page = await world.rpc.call(listJobs, { pageSize: 1_000, pageToken, filter: { parentJobId: jobId } });
      found.push(...page.jobs);
      pageToken = page.nextPageToken;
      more = pageToken !== '';
    }
    return found;
  }

  it('create new jobs for members that failed, expired or were cancelled, and for no others', async () => {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    const callback = await world.define();
    const input = { data: Buffer.from('{"to":"ann"}'), contentType: 'application/json', metadata: { a: 'b' } };
    const own = { labels: { first: 'yes' }, priority: 7, input };
    const jobs = [{ definition, ...own }, ...many(definition, 2), { definition, ...lost }, ...many(definition, 1)];
    const spec = { labels: { of: 'may' }, description: 'mails', callback: { definition: callback } };
    const { jobId, members } = await fill(jobs, { ...spec, maxFailed: 4n });
    const client = new Client({ address: world.replica.grpcAddress });
    const handlers = { [definition]: async () => Promise.reject(new Error('no')) };
    const worker = new Worker({
      address: world.replica.grpcAddress,
      name: 'w',
      slots: 1,
      handlers,
      logger: { log: () => {} },
    });
    await world.rpc.call(cancelJob, { jobId: members[1] as string });
    await eventually('one has expired', async () => (await get(jobId)).counts?.expired === 1n);
    const running = worker.run();
    for (const member of [members[0], members[2], members[4]]) await client.wait(member as string);
    await worker.stop();
    await running;
    client.close();
    await ended(jobId);

    const newId = await retry(jobId);
    const batch = await full(newId);
    expect(batch).toMatchObject({ ...spec, callback: { definition: callback }, maxFailed: 4n, sealed: true });
    expect(batch.job).toMatchObject({ retryOf: jobId, labels: { of: 'may' }, parentJobId: '' });
    expect(batch.retry).toMatchObject({
      batchJobId: jobId,
      failedCount: 5n,
      remainingCount: 0n,
      retriedBeforeCount: 0n,
      skippedByReason: {},
      waitMessage: '',
    });
    expect(batch.counts).toMatchObject({ members: 5n, open: 5n });
    const made = await membersOf(newId);
    expect(made.map((job) => job.retryOf).sort()).toEqual([...members].sort());
    const first = made.find((job) => job.retryOf === members[0]);
    expect(first).toMatchObject({ labels: { first: 'yes' }, priority: 7, definition, definitionVersion: 1 });
    const whole = (await world.rpc.call(getJob, { jobId: first?.jobId ?? '' })).job;
    expect(whole?.input).toMatchObject({ contentType: 'application/json', metadata: { a: 'b' } });
    expect(Buffer.from(whole?.input?.data ?? [])).toEqual(input.data);
    // The expired one is created again without an expiry.
    expect(made.every((job) => stateName(job.state) === 'READY' && !job.expireTime)).toBe(true);

    await world.rpc.call(cancelJob, { jobId: newId });
    await ended(newId);
    const { callbackJobId } = await get(newId);
    expect(callbackJobId).not.toBe('');
    expect(callbackJobId).not.toBe((await get(jobId)).callbackJobId);
  });

  it.runIf(runsAll)(
    'skip thousands of members that succeeded or were skipped',
    async () => {
      const definition = await world.define();
      const jobs = Array.from({ length: 5_000 }, (_, i) => (i % 25 < 6 ? { definition, ...lost } : { definition }));
      const { jobId, members } = await fill(jobs);
      await eventually('what is late has expired', async () => (await get(jobId)).counts?.expired === 1_200n);
      const handlers = { [definition]: async () => {} };
      const settings = {
        address: world.replica.grpcAddress,
        name: 'w',
        slots: 500,
        handlers,
        logger: { log: () => {} },
      };
      const worker = new Worker(settings);
      const running = worker.run();
      await ended(jobId);
      const newId = await retry(jobId);
      expect(stateName((await ended(newId)).state)).toBe('SUCCEEDED');
      await worker.stop();
      await running;
      const failed = members.filter((_, i) => i % 25 < 6);
      expect(failed).toHaveLength(1_200);
      const made = await membersOf(newId);
      expect(made.map((job) => job.retryOf).sort()).toEqual(failed.sort());
      const { counts, retry: how } = await get(newId);
      expect(counts).toMatchObject({ members: 1_200n, succeeded: 1_200n, open: 0n });
      expect(how).toMatchObject({ failedCount: 1_200n, remainingCount: 0n, skippedByReason: {} });
    },
    120_000,
  );

  it('are refused for an open batch, for one without failures, and for a job that is no batch', async () => {
    const definition = await world.define();
    const { batch } = await world.rpc.call(createBatch, {});
    const open = batch?.job?.jobId ?? '';
    expect(await refusalOf(open)).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'JOB_NOT_ENDED',
      message: expect.stringContaining('wait for its end, or cancel it first'),
    });
    const { jobId } = await fillAndEnd([]);
    expect(await refusalOf(jobId)).toMatchObject({ code: Code.FAILED_PRECONDITION, reason: 'NOTHING_TO_RETRY' });
    const job = await world.submit(definition);
    expect(await refusalOf(job)).toMatchObject({ code: Code.NOT_FOUND, reason: 'BATCH_NOT_FOUND' });
    const erased = await fillAndEnd(many(definition, 1, lost));
    await world.rpc.call(eraseJob, { jobId: erased.jobId, reason: 'on demand' });
    expect(await refusalOf(erased.jobId)).toMatchObject({ code: Code.FAILED_PRECONDITION, reason: 'JOB_ERASED' });
  });

  it('are created once, are audited, and answer repeats of the call', async () => {
    const definition = await world.define();
    const { jobId } = await fillAndEnd(many(definition, 3, lost));
    const requestId = randomUUID();
    const calls = Array.from({ length: 4 }, () => retry(jobId, requestId, 'it is back'));
    const [newId = '', ...others] = await Promise.all(calls);
    expect(new Set(others)).toEqual(new Set([newId]));
    await expect(retry(jobId, requestId, 'another')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    const again = await refusalOf(jobId);
    expect(again).toMatchObject({ code: Code.FAILED_PRECONDITION, reason: 'BATCH_RETRIED' });
    expect(again.info?.metadata).toEqual({ job_id: jobId, retry_job_id: newId });
    expect((await full(newId)).counts).toMatchObject({ members: 3n });
    const { records } = await world.rpc.call(AuditService.method.listAuditRecords, { jobId });
    const record = { action: AuditAction.RETRY_BATCH, jobId, subject: newId, reason: 'it is back' };
    expect(records).toMatchObject([record, { action: AuditAction.SEAL_BATCH, jobId }]);
    // Failed members of the new batch are retried by a retry of that batch.
    await world.rpc.call(cancelJob, { jobId: newId });
    await ended(newId);
    const third = await retry(newId);
    expect((await full(third)).retry).toMatchObject({ batchJobId: newId, failedCount: 3n });
    expect(await retry(jobId, requestId, 'it is back')).toBe(newId);
  });

  it('accept no other members', async () => {
    const definition = await world.define();
    const { jobId } = await fillAndEnd(many(definition, 2, lost));
    const newId = await retry(jobId);
    const call = world.rpc.call(submitJobs, { jobs: [{ definition }], batchJobId: newId });
    await expect(call).rejects.toMatchObject({ reason: 'BATCH_SEALED' });
    await full(newId);
    expect((await get(newId)).counts).toMatchObject({ members: 2n });
  });

  it('count members that can not be retried as failed, with the reasons, and continue', async () => {
    const [kept, archived] = [await world.define(), await world.define()];
    const single = await world.define({
      keyLimit: { maxConcurrency: 1, key: 'labels.k', policy: LimitPolicy.REJECT_NEW },
      queue: 'singles',
    });
    const keyed = many(single, 4, lost).map((job, i) => ({ ...job, labels: { k: `${i}` } }));
    const { jobId, members } = await fillAndEnd([...many(kept, 3, lost), ...many(archived, 2, lost), ...keyed]);
    await world.rpc.call(eraseJob, { jobId: members[0] as string, reason: 'on demand' });
    await world.rpc.call(retryJob, { jobId: members[1] as string });
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: archived });
    // Its key has reached its limit of open jobs.
    await world.submit(single, { labels: { k: '2' } });
    const newId = await retry(jobId);
    const batch = await full(newId);
    expect(batch.retry).toMatchObject({
      failedCount: 9n,
      remainingCount: 0n,
      retriedBeforeCount: 1n,
      skippedByReason: { JOB_ERASED: 1n, DEFINITION_ARCHIVED: 2n, LIMIT_REACHED: 1n },
    });
    const made = await membersOf(newId);
    const remade = [2, 5, 6, 8].map((i) => members[i] as string);
    expect(made.map((job) => job.retryOf).sort()).toEqual(remade.sort());
    const worker = await world.openWorker(kept, single);
    const attempts = await worker.take(6);
    const done = { case: 'result', value: { data: new Uint8Array() } } as const;
    await worker.report(...attempts.map((of) => ({ of, outcome: done })));
    const { outcome } = await ended(newId);
    expect(outcome.value).toMatchObject({
      type: 'MembersFailed',
      message: '0 of 4 members did not succeed, and 4 could not be retried',
    });
  });

  it('succeed despite members that could not be retried, if the policy allows so many failures', async () => {
    const definition = await world.define();
    const { jobId } = await fillAndEnd(many(definition, 2, lost), { tolerateFailed: true });
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: definition });
    const job = await ended(await retry(jobId));
    expect(stateName(job.state)).toBe('SUCCEEDED');
    const { data } = job.outcome.value as { data: Uint8Array };
    expect(JSON.parse(new TextDecoder().decode(data))).toMatchObject({ members: 0, skipped_by_reason: 2 });
  });

  it('wait for room in a full queue, and a cancel ends the wait', async () => {
    const name = `bounded-${randomUUID().slice(0, 8)}`;
    await world.rpc.call(QueueService.method.createQueue, { queue: { name } });
    const definition = await world.define({ queue: name });
    const { jobId, members } = await fillAndEnd(many(definition, 5, lost));
    await world.rpc.call(QueueService.method.updateQueue, { queue: { name, maxBacklog: 3n } });
    const newId = await retry(jobId);
    const held = await eventually('the members find no room', async () => {
      const batch = await get(newId);
      return batch.retry?.waitMessage ? batch : undefined;
    });
    expect(held.retry).toMatchObject({
      remainingCount: 2n,
      waitMessage: `room in queue ${name}, which is full (max_backlog)`,
    });
    expect(held.counts).toMatchObject({ members: 3n, open: 3n });
    // A manual seal is refused.
    const sealed = await world.rpc.call(sealBatch, { jobId: newId });
    expect(sealed.batch?.sealed).toBe(false);
    await world.rpc.call(cancelJob, { jobId: newId });
    expect(stateName((await ended(newId)).state)).toBe('CANCELLED');
    expect(await get(newId)).toMatchObject({ sealed: false, retry: { remainingCount: 2n }, counts: { cancelled: 3n } });
    // The retry was stopped before it was full: the rest can be retried, and no member is retried twice.
    const nextId = await retry(jobId);
    const next = await full(nextId);
    expect(next.retry).toMatchObject({
      retriedBeforeCount: 3n,
      remainingCount: 0n,
      skippedByReason: {},
      waitMessage: '',
    });
    expect((await membersOf(nextId)).map((job) => job.retryOf).sort()).toEqual(members.slice(3).sort());
  });
});
