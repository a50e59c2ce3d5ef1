/** docs/worker-protocol.md is all that a worker needs: one written from it, without any library, does real work. */
import { CancelStage, Client, JobState, SessionState } from '@muster-jobs/sdk';
import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Child } from '../chaos/harness/child.ts';
import { eventually } from '../support/base/eventually.ts';
import { startTestReplica, type TestReplica } from '../support/base/replica.ts';

const PATIENT = { timeoutMs: 60_000 };
const SLOTS = 4;
const JOBS = 200;

let replica: TestReplica;
let client: Client;
let worker: Child;

beforeAll(async () => {
  replica = await startTestReplica({ beatMs: 1_000, leaseMs: 8_000 });
  client = new Client({ address: replica.grpcAddress });
  for (const name of ['greet', 'refuse', 'nap', 'unknown']) {
    await client.applyDefinition({ name, retryPolicy: { maxAttempts: 1 } });
  }
  const args = ['workers/minimal/worker.mjs', replica.grpcAddress, String(SLOTS)];
  worker = new Child({ name: 'minimal', command: process.execPath, args });
});

afterAll(async () => {
  worker?.signal('SIGKILL');
  await worker?.ended;
  client?.close();
  await replica?.stop();
});

const sessions = async () => (await client.listWorkers()).workers.filter(({ name }) => name === 'minimal');

/** Whether the job runs in this attempt, as a heartbeat has shown. */
const runs = (job: { jobId: string }, nth: number) => async () => {
  const { state, attempts } = await client.get(job);
  return state === JobState.RUNNING && attempts.length >= nth;
};

it('the minimal worker runs many more jobs than it has slots, each once, and reports their results', async () => {
  const names = Array.from({ length: JOBS }, (_, i) => `guest ${i}`);
  const jobs = await client.submitMany(names.map((name) => ({ definition: 'greet', input: { name } })));
  const results = await Promise.all(jobs.map((job) => client.result(job, PATIENT)));
  expect(results).toEqual(names.map((name) => `hello ${name}`));
});

it('the minimal worker reports the errors of handlers', async () => {
  const { outcome } = await client.wait(await client.submit('refuse', { why: 'not today' }), PATIENT);
  expect(outcome).toMatchObject({ case: 'failure', value: { type: 'RangeError', message: 'not today' } });
});

it('the minimal worker stops a handler whose job is cancelled', async () => {
  const job = await client.submit('nap', { ms: 3_600_000 });
  await eventually('it runs', runs(job, 1), PATIENT);
  await client.cancel(job, 'only a test');
  const { state, cancellation } = await client.wait(job, PATIENT);
  expect(state).toBe(JobState.CANCELLED);
  expect(cancellation?.stage).toBe(CancelStage.STOPPED);
});

it('the minimal worker reports a run timeout', async () => {
  const job = await client.submit('nap', { ms: 3_600_000 }, { runTimeoutMs: 1_000 });
  const { outcome } = await client.wait(job, PATIENT);
  expect(outcome).toMatchObject({ case: 'failure', value: { type: 'RunTimeout' } });
});

it('the minimal worker loses its session when stopped past its lease, and continues in a new one', async () => {
  const job = await client.submit('nap', { ms: 3_600_000 });
  await eventually('it runs', runs(job, 1), PATIENT);
  const before = (await client.get(job)).attempts.length;
  worker.signal('SIGSTOP');
  await eventually('its lease has lapsed', async () => (await sessions()).length === 0, PATIENT);
  worker.signal('SIGCONT');
  await eventually('the job runs again', runs(job, before + 1), PATIENT);
  const [lost, again] = (await client.get(job)).attempts.slice(before - 1);
  expect(lost).toMatchObject({ outcome: AttemptOutcome.LAPSED, counted: false });
  expect(again?.sessionId).not.toBe(lost?.sessionId);
  await client.cancel(job);
  await client.wait(job, PATIENT);
});

it('the minimal worker drains: it finishes its jobs, and ends', async () => {
  const job = await client.submit('nap', { ms: 1_500 });
  await eventually('it runs', runs(job, 1), PATIENT);
  const [session] = await sessions();
  await client.drainWorker(session?.sessionId ?? '');
  expect(await client.result(job, PATIENT)).toBe('rested');
  expect(await worker.ended).toBe(0);
  const after = await client.getWorker(session?.sessionId ?? '');
  expect(after.worker?.state).toBe(SessionState.CLOSED);
});
