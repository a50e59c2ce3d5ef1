/** A limit over two replicas: it holds over both, and a job that ends on one frees capacity on the other. */
import { Client, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { eventually } from '../support/base/eventually.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';
import { faultsIn } from '../support/store/faults.ts';

let deployment: TwoReplicas;
let clients: Client[] = [];
let workers: { readonly worker: Worker; readonly running: Promise<void> }[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  clients = deployment.replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress }));
});

afterAll(async () => {
  await Promise.all(workers.map(({ worker, running }) => worker.stop().then(() => running)));
  for (const client of clients) client.close();
  await deployment?.stop();
});

/** Starts a worker with many slots at each replica. */
function startWorkers(handlers: ConstructorParameters<typeof Worker>[0]['handlers']): void {
  workers = deployment.replicas.map(({ grpcAddress }, i) => {
    const settings = { address: grpcAddress, name: `worker-${i}`, slots: 20, handlers, logger: { log: () => {} } };
    const worker = new Worker(settings);
    return { worker, running: worker.run() };
  });
}

it('limits of a queue and of a key hold over both replicas, and all jobs are done in the end', async () => {
  const [here, there] = clients as [Client, Client];
  await here.createQueue('line', { maxConcurrency: 4 });
  await here.applyDefinition({
    name: 'work',
    queue: 'line',
    keyLimit: { key: 'input.tenant', maxConcurrency: 2 },
  });
  const open = new Map<string, number>();
  const seen: { readonly held: number; readonly ofKey: number; readonly all: number }[] = [];
  startWorkers({
    work: async (_ctx, { tenant }: { tenant: string }) => {
      open.set(tenant, (open.get(tenant) ?? 0) + 1);
      // Each asks both while it runs, so that runs overlap.
      const counts = await Promise.all([here, there].map(async (client) => (await client.getQueue('line')).counts));
      const all = [...open.values()].reduce((sum, jobs) => sum + jobs, 0);
      const held = Math.max(...counts.map((count) => Number(count?.leased)));
      seen.push({ held, ofKey: open.get(tenant) ?? 0, all });
      open.set(tenant, (open.get(tenant) ?? 0) - 1);
      return null;
    },
  });
  const requests = Array.from({ length: 40 }, (_, i) => ({
    definition: 'work',
    input: { tenant: ['a', 'a', 'b', 'c'][i % 4] },
  }));
  const jobs = (await Promise.all([here, there, here].map((client) => client.submitMany(requests)))).flat();
  for (const job of jobs) expect((await there.wait(job)).state).toBe(JobState.SUCCEEDED);
  expect(seen).toHaveLength(jobs.length);
  expect(Math.max(...seen.map(({ held }) => held))).toBeLessThanOrEqual(4);
  expect(Math.max(...seen.map(({ all }) => all))).toBeLessThanOrEqual(4);
  expect(Math.max(...seen.map(({ ofKey }) => ofKey))).toBeLessThanOrEqual(2);
  // Proves that the limit was reached.
  expect(Math.max(...seen.map(({ held }) => held))).toBe(4);
  await eventually('nothing is counted any more', async () => {
    const { counts } = await there.getQueue('line');
    return counts?.ready === 0n && counts.leased === 0n;
  });
  const database = openPostgres({ url: deployment.postgresUrl, poolSize: 1 });
  try {
    expect(await faultsIn(database)).toEqual({});
  } finally {
    await database.close();
  }
});

it('a limit that is lowered at one replica holds at both when the call has returned', async () => {
  const [here, there] = clients as [Client, Client];
  await here.updateQueue('line', { maxConcurrency: 1 });
  const request = (tenant: string) => ({ definition: 'work', input: { tenant } });
  const tenants = Array.from({ length: 12 }, (_, i) => request(`t${i}`));
  const jobs = (await Promise.all([here, there].map((client) => client.submitMany(tenants)))).flat();
  for (const job of jobs) {
    expect(Number((await there.getQueue('line')).counts?.leased)).toBeLessThanOrEqual(1);
    expect((await here.wait(job)).state).toBe(JobState.SUCCEEDED);
  }
});
