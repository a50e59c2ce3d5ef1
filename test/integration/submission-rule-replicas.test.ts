/**
 * Submission rules on two replicas of one PostgreSQL: a key has one job, whatever caller submits at whatever replica.
 */
import { Client, JobState, type SubmittedJob } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';

let deployment: TwoReplicas;
let clients: Client[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  // Several connections each, so that calls run concurrently.
  const addresses = deployment.replicas.flatMap(({ grpcAddress }) => [grpcAddress, grpcAddress]);
  clients = addresses.map((address) => new Client({ address }));
});

afterAll(async () => {
  for (const client of clients) client.close();
  await deployment?.stop();
});

const ROUNDS = 15;

/** Submits the same at all replicas at once, several times each; every other call has two jobs. */
async function submitAll(definition: string, input: (n: number) => unknown): Promise<SubmittedJob[]> {
  const calls = clients.flatMap((client, c) =>
    [0, 1, 2].map((n) => {
      const job = { definition, input: input(c * 3 + n) };
      return n === 1 ? client.submitMany([job, job]) : client.submit(definition, job.input).then((one) => [one]);
    }),
  );
  return (await Promise.all(calls)).flat();
}

async function jobsOf(definition: string) {
  const jobs = [];
  for await (const job of (clients[0] as Client).list({ definition })) jobs.push(job);
  return jobs;
}

it('uniqueness over two replicas keeps one open job at any time, also when it is replaced', async () => {
  const [client] = clients as [Client];
  await client.applyDefinition({ name: 'unique', uniqueness: { fields: ['id'] } });
  let before = '';
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await submitAll('unique', (n) => ({ id: 7, n }));
    const [jobId, ...others] = new Set(answers.map((job) => job.jobId));
    expect(others).toEqual([]);
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    expect(jobId).not.toBe(before);
    before = jobId as string;
    await client.cancel({ jobId: before });
  }
  expect(await jobsOf('unique')).toHaveLength(ROUNDS);
});

it('debounce over two replicas keeps one waiting job at any time, and each of the others names its successor', async () => {
  const [client] = clients as [Client];
  await client.applyDefinition({ name: 'debounced', debounce: { wait: { seconds: 3_600n } } });
  const submitted: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    submitted.push(...(await submitAll('debounced', (n) => n)).map(({ jobId }) => jobId));
    const jobs = await jobsOf('debounced');
    expect(jobs.filter(({ state }) => state === JobState.SCHEDULED)).toHaveLength(1);
    const replaced = jobs.filter(({ state }) => state === JobState.CANCELLED);
    expect(replaced).toHaveLength(submitted.length - 1);
    expect(new Set(replaced.map(({ stateReason }) => stateReason)).size).toBe(replaced.length);
    expect(replaced.every(({ stateReason }) => submitted.includes(stateReason.replace('replaced by job ', '')))).toBe(
      true,
    );
  }
});

it('throttle over two replicas accepts one job per period, for all callers', async () => {
  const [client] = clients as [Client];
  await client.applyDefinition({ name: 'throttled', throttle: { period: { seconds: 3_600n } } });
  for (let round = 0; round < ROUNDS; round++) await submitAll('throttled', (n) => n);
  expect(await jobsOf('throttled')).toHaveLength(1);
});
