/** A queue on two replicas: paused on one it gives nothing on the other, and resumed there it continues on both. */
import { Client, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { eventually } from '../support/base/eventually.ts';
import type { TestReplica } from '../support/base/replica.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';
import { faultsIn } from '../support/store/faults.ts';

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

/** Ids of the jobs whose handlers began, in order. */
const started: string[] = [];

function startWorkers(): void {
  workers = replicas.map(({ grpcAddress }, i) => {
    const handlers = { work: (ctx: { jobId: string }) => void started.push(ctx.jobId) };
    const worker = new Worker({ address: grpcAddress, name: `worker-${i}`, handlers, logger: { log: () => {} } });
    return { worker, running: worker.run() };
  });
}

it('a pause of a queue holds under load: jobs that had not begun at its answer begin only after the resume', async () => {
  const [here, there] = clients as [Client, Client];
  startWorkers();
  await here.applyDefinition({ name: 'work', queue: 'line' });
  const submit = (client: Client, queue: string) =>
    client.submitMany(Array.from({ length: 50 }, () => ({ definition: 'work', queue })));
  const jobs = (await Promise.all([here, there, here, there].map((client) => submit(client, 'line')))).flat();
  await here.pauseQueue('line', 'to look');
  const waiting = new Set<string>();
  for (const job of jobs) if ((await there.get(job)).state === JobState.READY) waiting.add(job.jobId);
  const later = (await Promise.all([submit(here, 'line'), submit(there, 'line')])).flat();
  // Jobs of another queue continue on both, for longer than two sweeps of either.
  for (let round = 0; round < 3; round++)
    for (const client of clients) {
      await client.result(await client.submit('work', null, { queue: 'other', delayMs: 400 }));
    }
  for (const job of later) waiting.add(job.jobId);
  expect(started.filter((jobId) => waiting.has(jobId))).toEqual([]);
  // A prefetched job may have been requeued meanwhile.
  expect(Number((await here.getQueue('line')).counts?.ready)).toBeGreaterThanOrEqual(waiting.size);
  expect((await there.get(later[0] as (typeof later)[0])).stateReason).toBe('queue line is paused: to look');
  await there.resumeQueue('line');
  for (const job of [...jobs, ...later]) expect((await here.wait(job)).state).toBe(JobState.SUCCEEDED);
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
