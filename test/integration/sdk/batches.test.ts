/** Batches through the client, against a real control plane. */
import { randomUUID } from 'node:crypto';
import { type Batch, Code, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Deployment } from './deployment.ts';

let deployment: Deployment;
let worker: Worker;
let running: Promise<void>;
const reported: unknown[] = [];

beforeAll(async () => {
  deployment = await Deployment.start();
  const { client, replica } = deployment;
  await client.applyDefinition({ name: 'mail' });
  await client.applyDefinition({ name: 'report' });
  const handlers = {
    mail: async (_ctx: unknown, input: { to: number }) => input.to,
    report: async (_ctx: unknown, input: unknown) => void reported.push(input),
  };
  worker = new Worker({ address: replica.grpcAddress, name: 'w', slots: 20, handlers, logger: { log: () => {} } });
  running = worker.run();
});

afterAll(async () => {
  await worker?.stop();
  await running;
  await deployment?.stop();
});

it('a batch is created, filled, sealed and followed to its end, and its callback runs', async () => {
  const { client } = deployment;
  const callback = { definition: 'report', input: { to: 'ann' }, labels: { of: 'batch' } };
  const batch = await client.createBatch({ labels: { campaign: 'may' }, description: 'mails', maxFailed: 0, callback });
  await batch.submit('mail', { to: 0 }, { labels: { first: 'yes' } });
  const jobs = Array.from({ length: 50 }, (_, to) => ({ definition: 'mail', input: { to } }));
  expect(await batch.submitMany(jobs)).toHaveLength(50);
  expect(await batch.get()).toMatchObject({
    sealed: false,
    counts: { members: 51n },
    description: 'mails',
    maxFailed: 0n,
  });
  expect((await batch.seal()).sealed).toBe(true);
  const seen: Batch[] = [];
  const ended = await client.batch(batch.jobId).wait({ onProgress: (one) => seen.push(one) });
  expect(ended.job?.state).toBe(JobState.SUCCEEDED);
  expect(ended.counts).toMatchObject({ members: 51n, open: 0n, succeeded: 51n });
  expect(seen.at(-1)).toEqual(ended);
  await client.wait(ended.callbackJobId);
  expect(reported).toEqual([
    {
      to: 'ann',
      batch: batch.jobId,
      state: 'SUCCEEDED',
      counts: { members: 51, succeeded: 51, failed: 0, cancelled: 0, expired: 0, skipped: 0 },
    },
  ]);
  await expect(batch.submit('mail', { to: 1 })).rejects.toMatchObject({
    code: Code.FAILED_PRECONDITION,
    reason: 'BATCH_SEALED',
  });
});

it('cancelled members of a batch are retried in a new one, which seals itself', async () => {
  const { client } = deployment;
  const batch = await client.createBatch({ labels: { campaign: 'june' }, tolerateFailed: true });
  await batch.submitMany([0, 1, 2].map((to) => ({ definition: 'mail', input: { to }, delayMs: 3_600_000 })));
  await expect(batch.retry()).rejects.toMatchObject({ code: Code.FAILED_PRECONDITION, reason: 'JOB_NOT_ENDED' });
  await batch.cancel('the server is down');
  await batch.wait();
  const requestId = randomUUID();
  const again = await batch.retry('it is back', { requestId });
  expect((await batch.retry('it is back', { requestId })).jobId).toBe(again.jobId);
  const ended = await again.wait();
  expect(ended).toMatchObject({ sealed: true, labels: { campaign: 'june' }, tolerateFailed: true });
  expect(ended.job).toMatchObject({ state: JobState.SUCCEEDED, retryOf: batch.jobId });
  expect(ended.counts).toMatchObject({ members: 3n, succeeded: 3n });
  expect(ended.retry).toMatchObject({ batchJobId: batch.jobId, failedCount: 3n, remainingCount: 0n });
  await expect(client.retryBatch(batch)).rejects.toMatchObject({ reason: 'BATCH_RETRIED' });
});

it('a wait for an open batch ends with its time, and a cancel ends it', async () => {
  const batch = await deployment.client.createBatch({ tolerateFailed: true });
  const late = { code: Code.DEADLINE_EXCEEDED, reason: 'WAIT_TIMEOUT' };
  await expect(batch.wait({ timeoutMs: 50 })).rejects.toMatchObject(late);
  await expect(batch.wait({ timeoutMs: 50, onProgress: () => {} })).rejects.toMatchObject(late);
  await batch.cancel('not wanted');
  expect((await batch.wait()).job?.state).toBe(JobState.CANCELLED);
});
