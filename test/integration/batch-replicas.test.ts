/** A batch on two replicas: members are submitted and run on both; it ends once, with one callback. */

import { Client, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';
import { faultsIn } from '../support/store/faults.ts';

const MEMBERS = 20_000;
const CALLS = 10;

let deployment: TwoReplicas;
let clients: Client[] = [];
let workers: { readonly worker: Worker; readonly running: Promise<void> }[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  clients = deployment.replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress, timeoutMs: 60_000 }));
  await clients[0]?.applyDefinition({ name: 'work', retryPolicy: { maxAttempts: 1 } });
  await clients[0]?.applyDefinition({ name: 'after' });
  const handlers = {
    work: async (_ctx: unknown, input: number) => {
      if (input % 1_000 === 999) throw new Error('no');
    },
    after: async () => {},
  };
  workers = deployment.replicas.map(({ grpcAddress }, i) => {
    const settings = { address: grpcAddress, name: `worker-${i}`, slots: 200, handlers, logger: { log: () => {} } };
    const worker = new Worker(settings);
    return { worker, running: worker.run() };
  });
});

afterAll(async () => {
  await Promise.all(workers.map(({ worker, running }) => worker.stop().then(() => running)));
  for (const client of clients) client.close();
  await deployment?.stop();
});

it('a batch counts 20,000 members from both replicas, and submits one callback', async () => {
  const [here, there] = clients as [Client, Client];
  const batch = await here.createBatch({ maxFailed: MEMBERS / 1_000, callback: { definition: 'after' } });
  const jobs = Array.from({ length: MEMBERS / CALLS }, (_, input) => ({ definition: 'work', input }));
  const calls = Array.from({ length: CALLS }, (_, i) => (i % 2 ? here : there).batch(batch).submitMany(jobs));
  const ids = (await Promise.all(calls)).flat().map(({ jobId }) => jobId);
  expect(new Set(ids).size).toBe(MEMBERS);
  await there.batch(batch).seal();
  const ended = await batch.wait({ timeoutMs: 120_000 });
  expect(ended.job?.state).toBe(JobState.SUCCEEDED);
  expect(ended.counts).toMatchObject({ members: 20_000n, open: 0n, succeeded: 19_980n, failed: 20n });
  const callbacks: string[] = [];
  for await (const { jobId } of here.list({ definition: 'after' })) callbacks.push(jobId);
  expect(callbacks).toEqual([ended.callbackJobId]);
  const database = openPostgres({ url: deployment.postgresUrl, poolSize: 1 });
  try {
    const items = {
      name: '',
      text: 'SELECT min(item) AS first, max(item) AS last, count(DISTINCT item)::int AS items FROM jobs',
    };
    expect(await database.run(items, [])).toEqual([{ first: 0, last: MEMBERS - 1, items: MEMBERS }]);
    expect(await faultsIn(database)).toEqual({});
    const inbox = { name: '', text: 'SELECT count(*)::int AS rows FROM job_inbox' };
    expect(await database.run(inbox, [])).toEqual([{ rows: 0 }]);
  } finally {
    await database.close();
  }
}, 180_000);

it('a cancel half-way through a batch ends every member on both replicas', async () => {
  const [here, there] = clients as [Client, Client];
  const batch = await here.createBatch();
  const jobs = Array.from({ length: 2_000 }, () => ({ definition: 'work', input: 0, delayMs: 3_600_000 }));
  await Promise.all([here, there].map((client) => client.batch(batch).submitMany(jobs)));
  // The cancel may come before either call, which is then refused; stored members are cancelled.
  const late = Promise.allSettled([here, there].map((client) => client.batch(batch).submitMany(jobs)));
  await there.batch(batch).cancel('enough');
  await late;
  const ended = await batch.wait({ timeoutMs: 60_000 });
  expect(ended.job?.state).toBe(JobState.CANCELLED);
  expect(ended.counts?.open).toBe(0n);
  expect(ended.counts?.cancelled).toBe(ended.counts?.members);
  expect(ended.counts?.members).toBeGreaterThanOrEqual(4_000n);
}, 120_000);
