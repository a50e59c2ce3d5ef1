/**
 * Retries of batches under SIGKILLs of the replica that creates the new members, at named points: only the failed
 * members are created again, each once, and the new batch ends with one callback.
 */
import { randomUUID } from 'node:crypto';
import { Client, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['batches.after_retry_before_members', 1],
  ['batches.after_retried_page_before_next', 1],
  ['batches.after_retried_page_before_next', 2],
  ['submit.after_commit_before_reply', 1],
  ['transaction.before_commit', 2],
];
const LONG_MS = 120_000;
/** More than one page of new members, so that one may be stored and the next not. */
const MEMBERS = 2_600;
const LOST = 1_300;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  client = new Client({ address: deployment.address, timeoutMs: LONG_MS, retry });
  await client.applyDefinition({ name: 'work' });
  await client.applyDefinition({ name: 'after' });
});

afterAll(async () => {
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

it('batch retries create each failed member anew once, whatever process is killed', { timeout: 600_000 }, async () => {
  for (const [i, kill] of kills.entries()) {
    const [point] = kill;
    const { jobId, lost } = await endedBatch(`batch-${i}`);
    const requestId = randomUUID();
    const retry = () => client.retryBatch(jobId, 'again', { requestId });
    const newId = (await dieInTurn(deployment, i, kill, retry)).job?.jobId ?? '';
    expect((await retry()).job?.jobId, point).toBe(newId);
    const ended = await runToEnd(newId);
    expect(ended.job?.state, point).toBe(JobState.SUCCEEDED);
    expect(ended.counts, point).toMatchObject({ members: BigInt(LOST), open: 0n, succeeded: BigInt(LOST) });
    expect(ended.retry, point).toMatchObject({ remainingCount: 0n, retriedBeforeCount: 0n, skippedByReason: {} });
    const made: string[] = [];
    for await (const job of client.list({ parentJobId: newId })) made.push(job.retryOf);
    expect(made.sort(), point).toEqual(lost);
    const callbacks: string[] = [];
    for await (const job of client.list({ definition: 'after', labels: { name: `batch-${i}` } }))
      callbacks.push(job.jobId);
    expect(callbacks.sort(), point).toEqual([ended.callbackJobId, (await client.getBatch(jobId)).callbackJobId].sort());
  }
});

/** An ended batch: half of its members have succeeded, every second one was cancelled with it. */
async function endedBatch(name: string): Promise<{ jobId: string; lost: string[] }> {
  const batch = await client.createBatch({ callback: { definition: 'after', labels: { name } } });
  const late = { delayMs: 3_600_000 };
  const jobs = Array.from({ length: MEMBERS }, (_, n) => ({ definition: 'work', ...(n % 2 === 0 ? late : {}) }));
  const members = await batch.submitMany(jobs);
  const worker = startWorker();
  const done = BigInt(MEMBERS - LOST);
  await eventually('every second member has succeeded', async () => (await batch.get()).counts?.succeeded === done, {
    timeoutMs: LONG_MS,
    everyMs: 100,
  });
  await worker.stop();
  await batch.cancel('enough');
  await batch.wait({ timeoutMs: LONG_MS });
  const lost = members.filter((_, n) => n % 2 === 0).map(({ jobId }) => jobId);
  return { jobId: batch.jobId, lost: lost.sort() };
}

async function runToEnd(jobId: string) {
  const worker = startWorker();
  try {
    return await client.batch(jobId).wait({ timeoutMs: LONG_MS });
  } finally {
    await worker.stop();
  }
}

function startWorker(): { stop(): Promise<void> } {
  const { address } = deployment;
  const settings = {
    address,
    name: 'worker',
    slots: 100,
    handlers: { work: async () => {} },
    logger: { log: () => {} },
  };
  const worker = new Worker(settings);
  const running = worker.run();
  return { stop: () => worker.stop().then(() => running) };
}
