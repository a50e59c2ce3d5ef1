/** RetryJob and EraseJob over the wire. */
import { randomUUID } from 'node:crypto';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { cancelJob, eraseJob, retryJob } = JobService.method;
const { failure, result } = outcomes;
const input = { data: new TextEncoder().encode('{"order":7}'), contentType: 'application/json', metadata: { a: 'b' } };

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function retry(jobId: string, requestId = ''): Promise<Job> {
  return (await world.rpc.call(retryJob, { jobId, requestId })).job as Job;
}

/** A job that has failed for good. */
async function failedJob(changes: Parameters<World['submit']>[1] = {}) {
  const definition = await world.define();
  const worker = await world.openWorker(definition);
  const jobId = await world.submit(definition, changes);
  const [attempt] = await worker.take(1);
  if (!attempt) throw new Error('nothing was assigned');
  await worker.report({ of: attempt, outcome: failure({ nonRetryable: true }) });
  return { definition, worker, jobId };
}

describe('RetryJob', () => {
  it('creates a new job like the ended one, which stays as it was', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const like = {
      input,
      labels: { tenant: 'acme' },
      priority: 9,
      retryPolicy: { maxAttempts: 7 },
      runTimeout: { seconds: 77n },
      demands: { labels: { zone: 'a' } },
    };
    const definition = await world.define();
    const jobId = await world.submit(definition, { ...like, queue: 'own', idempotencyKey: randomUUID(), traceparent });
    await world.rpc.call(cancelJob, { jobId });
    await world.define({ name: definition, description: 'the second version' });
    const before = await world.getJob(jobId);
    const job = await retry(jobId);
    expect(job).toMatchObject({
      state: JobState.READY,
      definition,
      definitionVersion: 1,
      queue: 'own',
      retryOf: jobId,
      priority: 9,
      labels: { tenant: 'acme' },
      idempotencyKey: '',
      traceparent: '',
      attempt: 0,
    });
    expect(job.input).toEqual(before.input);
    expect(await world.getJob(jobId)).toEqual(before);
  });

  it('creates a job with the same bytes, timeout and demands for the worker', async () => {
    const definition = await world.define();
    const jobId = await world.submit(definition, {
      input,
      runTimeout: { seconds: 77n },
      demands: { labels: { zone: 'a' } },
    });
    await world.rpc.call(cancelJob, { jobId });
    const job = await retry(jobId);
    const other = await world.submit(definition);
    const unfit = await world.openWorker(definition);
    expect((await unfit.take(1)).map((attempt) => attempt.jobId)).toEqual([uuidToBytes(other)]);
    const offer = {
      workerName: 'zoned',
      protocolVersion: 1,
      slots: 1,
      handlers: [{ name: definition }],
      labels: { zone: 'a' },
    };
    const worker = await world.openWorkerOf(offer);
    const [attempt] = await worker.take(1);
    expect(attempt).toMatchObject({ jobId: uuidToBytes(job.jobId), attempt: 1, runTimeout: { seconds: 77n } });
    expect(attempt?.input).toEqual((await world.getJob(jobId)).input);
  });

  it('can be called again: another job each time, the same one for the same request id', async () => {
    const { jobId } = await failedJob();
    const requestId = randomUUID();
    const first = await retry(jobId, requestId);
    expect((await retry(jobId, requestId)).jobId).toBe(first.jobId);
    expect((await retry(jobId)).jobId).not.toBe(first.jobId);
    const { jobId: other } = await failedJob();
    expect(await world.rpc.refused(retryJob, { jobId: other, requestId })).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it('is refused while the job is open, in any state', async () => {
    const { jobId } = await world.hold();
    const refusal = await world.rpc.refused(retryJob, { jobId });
    expect(refusal).toMatchObject({ code: Code.FAILED_PRECONDITION, preconditions: ['JOB_NOT_ENDED'] });
    expect(refusal.info?.metadata).toEqual({ job_id: jobId, state: 'ASSIGNED' });
  });

  it('is refused for an archived definition', async () => {
    const { jobId, definition } = await failedJob();
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: definition });
    expect(await world.rpc.refused(retryJob, { jobId })).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'DEFINITION_ARCHIVED',
    });
  });
});

describe('EraseJob', () => {
  const erase = (jobId: string) => world.rpc.call(eraseJob, { jobId, reason: 'demanded by the customer' });

  it('erases input, failure and labels, shows that, and answers the same again', async () => {
    const { jobId } = await failedJob({ input, labels: { who: 'jane' } });
    const first = await erase(jobId);
    expect(first.auditId).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.job).toMatchObject({
      state: JobState.FAILED,
      erased: true,
      labels: {},
      input: { data: new Uint8Array(), contentType: '', metadata: {} },
      outcome: { case: 'failure', value: { type: 'Erased', message: 'erased on demand', failureCause: 1 } },
    });
    expect(await world.getJob(jobId)).toEqual(first.job);
    expect(await erase(jobId)).toEqual(first);
  });

  it('erases a result', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: result('secret') });
    expect((await erase(jobId)).job).toMatchObject({
      state: JobState.SUCCEEDED,
      outcome: { case: 'result', value: { data: new Uint8Array() } },
    });
  });

  it('leaves a job that can not be retried', async () => {
    const { jobId } = await failedJob();
    await erase(jobId);
    expect(await world.rpc.refused(retryJob, { jobId })).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      preconditions: ['JOB_ERASED'],
    });
  });

  it('is refused for a running job', async () => {
    const { jobId } = await world.hold();
    expect(await world.rpc.refused(eraseJob, { jobId, reason: 'x' })).toMatchObject({ reason: 'JOB_NOT_ENDED' });
  });
});
