/** The cost of a long backlog: rates with few ready jobs and with 1,000,000, and under an old snapshot. */
import pg from 'pg';
import type { Client } from '../../sdk/typescript/src/index.ts';
import { type BenchWorker, type Deployment, startWorker } from './deployment.ts';

export interface BacklogParts {
  readonly store: string;
  readonly client: Client;
  readonly deployment: Deployment;
  readonly postgresUrl: string | undefined;
  readonly note: (store: string, name: string, value: unknown) => void;
}

/** More than the worker takes while the snapshot grows old. */
const READY = 1_000_000;
const FEW = 60_000;
const SAMPLE = 40_000;
/** Large enough that periodic work, such as a round of VACUUM, has its normal share. */
const LONG_SAMPLE = 200_000;

/** Submits jobs while no worker runs. */
async function fill(client: Client, jobs: number): Promise<void> {
  const batch = Array.from({ length: 1_000 }, (_, n) => ({ definition: 'nothing', input: { n } }));
  let left = jobs / batch.length;
  const lane = async () => {
    while (left-- > 0) await client.submitMany(batch);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

/** Jobs per second that a worker ends while nobody submits any. */
async function workOff(worker: BenchWorker, jobs: number): Promise<number> {
  await worker.untilHandled(5_000);
  const start = performance.now();
  await worker.untilHandled(jobs);
  return Math.round((jobs / (performance.now() - start)) * 1000);
}

/** No worker may run at the call. */
export async function backlog({ store, client, deployment, postgresUrl, note }: BacklogParts): Promise<void> {
  await fill(client, FEW);
  const first = await startWorker(deployment.address, 1_000);
  note(store, `work-off, at most ${FEW} ready, jobs/s`, await workOff(first, SAMPLE));
  await first.untilHandled(FEW - first.handled());
  await first.stop();
  await fill(client, READY);
  const worker = await startWorker(deployment.address, 1_000);
  note(store, `work-off, ${READY} ready, jobs/s`, await workOff(worker, LONG_SAMPLE));
  note(store, 'memory with the backlog, MB', deployment.memory());
  if (!postgresUrl) return worker.stop();
  const end = await holdSnapshot(postgresUrl);
  const old = performance.now() + 60_000;
  // Rows of these jobs can not be vacuumed while the snapshot is open, which is what makes it expensive.
  await worker.untilHandled(200_000);
  await worker.stop();
  await new Promise((resolve) => setTimeout(resolve, old - performance.now()));
  const last = await startWorker(deployment.address, 1_000);
  note(store, `work-off, ${READY - 400_000} ready, snapshot 60 s old, jobs/s`, await workOff(last, LONG_SAMPLE));
  await end();
  await last.stop();
}

/** Opens a snapshot that stays. Returns a function that ends it. */
async function holdSnapshot(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM pg_class');
  return () => client.end();
}
