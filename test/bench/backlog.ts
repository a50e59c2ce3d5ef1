/** What a long backlog costs: the rate with few ready jobs against that with 1,000,000, and under an old snapshot. */
import pg from 'pg';
import type { Client } from '../../sdk/typescript/src/index.ts';
import type { BenchWorker, Deployment } from './deployment.ts';

export interface BacklogParts {
  readonly store: string;
  readonly client: Client;
  readonly worker: BenchWorker;
  readonly deployment: Deployment;
  readonly postgresUrl: string | undefined;
  readonly note: (store: string, name: string, value: unknown) => void;
}

const READY = 1_000_000;
const SAMPLE = 50_000;

/** Jobs that wait for a time 20 s ahead and then are all ready at once would measure promotion: these have no worker yet. */
async function fill(client: Client, jobs: number): Promise<void> {
  const batch = Array.from({ length: 1_000 }, (_, n) => ({ definition: 'nothing', input: { n } }));
  let left = jobs / batch.length;
  const lane = async () => {
    while (left-- > 0) await client.submitMany(batch);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

/** Jobs a second that a worker ends while it works off what waits. */
async function drainRate(worker: BenchWorker, jobs: number): Promise<number> {
  await worker.untilHandled(2_000);
  const start = performance.now();
  await worker.untilHandled(jobs);
  return Math.round((jobs / (performance.now() - start)) * 1000);
}

export async function backlog({ store, client, worker, deployment, postgresUrl, note }: BacklogParts): Promise<void> {
  // Submission outruns the worker, so a backlog grows; the rate is taken once nobody submits any more.
  await fill(client, SAMPLE * 2.5);
  note(store, 'work-off rate, under 125,000 ready, jobs/s', await drainRate(worker, SAMPLE));
  await worker.untilHandled(1);
  await fill(client, READY);
  note(store, 'work-off rate, up to 1,000,000 ready, jobs/s', await drainRate(worker, SAMPLE));
  note(store, 'memory with the backlog, MB', deployment.memory());
  if (!postgresUrl) return;
  const snapshot = new pg.Client({ connectionString: postgresUrl });
  await snapshot.connect();
  await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await snapshot.query('SELECT count(*) FROM pg_class');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  note(store, 'the same with a snapshot 60 s old, jobs/s', await drainRate(worker, SAMPLE));
  await snapshot.end();
}
