/**
 * Batches under SIGKILLs of the replicas that count their members, at named points: each end is counted once, and each
 * batch ends with one callback.
 */
import { type BatchHandle, Client, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['workflows.after_commit_before_publish', 3],
  ['complete.after_commit_before_reply', 5],
  ['submit.after_commit_before_reply', 3],
  ['transaction.before_commit', 20],
];
const LONG_MS = 120_000;
const MEMBERS = 600;
const CALLS = 6;

let deployment: Deployment;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  client = new Client({ address: deployment.address, timeoutMs: LONG_MS, retry });
  await client.applyDefinition({ name: 'work' });
  await client.applyDefinition({ name: 'after' });
  const handlers = { work: async () => {}, after: async () => {} };
  const { address } = deployment;
  worker = new Worker({ address, name: 'worker', slots: 20, handlers, logger: { log: () => {} } });
  running = worker.run();
});

afterAll(async () => {
  await worker?.stop();
  await running;
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

it('batches count each member once and end with one callback, whatever process is killed', {
  timeout: 600_000,
}, async () => {
  for (const [i, kill] of kills.entries()) {
    const [point] = kill;
    const batch = await dieInTurn(deployment, i, kill, () => fill(`batch-${i}`));
    const ended = await batch.wait({ timeoutMs: LONG_MS });
    expect(ended.job?.state, point).toBe(JobState.SUCCEEDED);
    expect(ended.counts, point).toMatchObject({ members: BigInt(MEMBERS), open: 0n, succeeded: BigInt(MEMBERS) });
    expect(await callbacksOf(`batch-${i}`), point).toEqual([ended.callbackJobId]);
  }
});

async function fill(name: string): Promise<BatchHandle> {
  const batch = await client.createBatch({ callback: { definition: 'after', labels: { name } } });
  const jobs = Array.from({ length: MEMBERS / CALLS }, () => ({ definition: 'work' }));
  await Promise.all(Array.from({ length: CALLS }, () => batch.submitMany(jobs)));
  await batch.seal();
  return batch;
}

async function callbacksOf(name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { jobId } of client.list({ definition: 'after', labels: { name } })) found.push(jobId);
  return found;
}
