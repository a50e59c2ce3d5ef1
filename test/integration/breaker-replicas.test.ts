/** State shared by two replicas: a circuit breaker that never has two probes, and a retry budget that is spent once. */
import { AttemptOutcome, Client, type Job, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import type { TestReplica } from '../support/base/replica.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';

let deployment: TwoReplicas;
let replicas: readonly TestReplica[] = [];
let clients: Client[] = [];
let workers: { readonly worker: Worker; readonly running: Promise<void> }[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  replicas = deployment.replicas;
  clients = replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress }));
});

afterAll(async () => {
  await Promise.all(workers.map(({ worker, running }) => worker.stop().then(() => running)));
  for (const client of clients) client.close();
  await deployment?.stop();
});

/** A worker at each replica. */
function startWorkers(handlers: ConstructorParameters<typeof Worker>[0]['handlers']): void {
  workers = replicas.map(({ grpcAddress }, i) => {
    const worker = new Worker({ address: grpcAddress, name: `worker-${i}`, handlers, logger: { log: () => {} } });
    return { worker, running: worker.run() };
  });
}

class Refused extends Error {}

let retried = 0;

it('a circuit breaker counts on both replicas, runs one probe at a time, and reopens its lanes on both', async () => {
  const [here, there] = clients as [Client, Client];
  let isDown = true;
  let starts = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  startWorkers({
    charge: async () => {
      if (isDown) throw new Refused('nobody is there');
      starts++;
      await released;
      return null;
    },
    other: () => null,
    flaky: (ctx) => {
      if (ctx.attemptCount === 1) retried++;
      throw new Error('always');
    },
  });
  for (const name of ['charge', 'other'])
    await here.applyDefinition({
      name,
      retryPolicy: { maxAttempts: 1_000, minBackoffMs: 1, maxBackoffMs: 1 },
      ...(name === 'charge' ? { circuitBreaker: { failureThreshold: 20, openDuration: { seconds: 2n } } } : {}),
    });
  const requests = Array.from({ length: 20 }, () => ({ definition: 'charge' }));
  const jobs = [...(await here.submitMany(requests)), ...(await there.submitMany(requests))];
  const probe = (client: Client) => Promise.all(jobs.map((job) => client.get(job)));
  const isHeld = (job: Job) => job.stateReason.startsWith('held back: circuit breaker charge is open');
  // One of them may be or have been the probe.
  await eventually(
    'what waits is held back',
    async () => (await probe(there)).filter(isHeld).length >= jobs.length - 2,
  );
  isDown = false;
  await eventually('a probe runs', () => starts > 0);
  const burnt = (await probe(here)).map((job) => job.attemptCount);
  // Jobs of another definition continue on both, for longer than two sweeps of either.
  for (let round = 0; round < 3; round++)
    for (const client of clients) {
      await client.result(await client.submit('other', null, { delayMs: 400 }));
      expect(starts).toBe(1);
    }
  const held = await probe(there);
  expect(held.filter((job) => job.state === JobState.READY)).toHaveLength(jobs.length - 1);
  held.forEach((job, i) => {
    if (job.state === JobState.READY) expect(job.attemptCount).toBe(burnt[i]);
  });
  release();
  for (const job of jobs) expect((await there.wait(job)).state).toBe(JobState.SUCCEEDED);
  expect(starts).toBe(jobs.length);
});

it('a retry budget is spent once, however many replicas ask', async () => {
  const [here, there] = clients as [Client, Client];
  await here.applyDefinition({
    name: 'flaky',
    retryPolicy: { maxAttempts: 2, minBackoffMs: 1, maxBackoffMs: 1 },
    retryBudget: { minPerMinute: 6 },
  });
  const requests = Array.from({ length: 30 }, () => ({ definition: 'flaky' }));
  const jobs = [...(await here.submitMany(requests)), ...(await there.submitMany(requests))];
  const waits = (job: Job) => job.stateReason.startsWith('waits for room in the retry budget of flaky');
  const settled = await eventually('each has ended or waits', async () => {
    const now = await Promise.all(jobs.map((job) => there.get(job)));
    const failed = now.filter((job) => job.state === JobState.FAILED).length;
    return now.every((job) => job.state === JobState.FAILED || waits(job)) && retried === failed && now;
  });
  // If a minute had ended meanwhile, six more would have started.
  expect([6, 12]).toContain(settled.filter((job) => job.state === JobState.FAILED).length);
  for (const job of settled.filter(waits)) {
    expect(job.attemptCount).toBe(1);
    // A late worker releases jobs; after a failure a job is not assigned while it waits.
    const outcomes = job.attempts.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome !== AttemptOutcome.RELEASED)).toEqual([AttemptOutcome.FAILED]);
    expect(outcomes.at(-1)).toBe(AttemptOutcome.FAILED);
  }
});
