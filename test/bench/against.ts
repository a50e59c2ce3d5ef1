/** This checkout against another one: both are up at once and take turns, so that a machine that slows down slows both. */
import { resolve } from 'node:path';
import { Client } from '../../sdk/typescript/src/index.ts';
import { type BenchWorker, type Deployment, startDeployment, startWorker } from './deployment.ts';
import { idleLatency, quantile, throughput } from './measures.ts';

const WARM_UP_JOBS = 10_000;

interface Side {
  readonly client: Client;
  readonly worker: BenchWorker;
  readonly deployment: Deployment;
}

export interface AgainstParts {
  /** Another checkout of Muster, with its packages installed. */
  readonly checkout: string;
  /** Turns of each side. */
  readonly rounds: number;
  /** Makes a database for each side; undefined: embedded. */
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

async function startSide(parts: AgainstParts, checkout?: string): Promise<Side> {
  const deployment = await startDeployment(await parts.createDatabase?.(), [], checkout);
  const client = new Client({ address: deployment.address });
  for (const name of ['nothing', 'clock']) await client.applyDefinition({ name });
  const worker = await startWorker(deployment.address, 1_000, checkout);
  await throughput(client, worker, WARM_UP_JOBS, 100, 8);
  return { client, worker, deployment };
}

async function stopSide({ client, worker, deployment }: Side): Promise<void> {
  await worker.stop();
  client.close();
  await deployment.stop();
}

const median = (values: readonly number[]) => quantile(values, 0.5);

/** Each value is of one turn; higher is better, but for milliseconds. */
const measures: Readonly<Record<string, (side: Side) => Promise<number>>> = {
  'whole life, batches of 100, jobs/s': ({ client, worker }) => throughput(client, worker, 10_000, 100, 8),
  'whole life, batches of 500, jobs/s': ({ client, worker }) => throughput(client, worker, 10_000, 500, 4),
  'whole life, unary submission, jobs/s': ({ client, worker }) => throughput(client, worker, 2_000, 1, 128),
  'submit to handler start, p50, ms': async ({ client }) => (await idleLatency(client, 100, () => 0)).p50,
};

/** Notes for each measure the medians of both sides, and the median of this one's share of the other's in the same round. */
export async function against(parts: AgainstParts): Promise<void> {
  const here = await startSide(parts);
  try {
    const there = await startSide(parts, resolve(parts.checkout));
    try {
      for (const [name, measure] of Object.entries(measures)) {
        const pairs: { here: number; there: number }[] = [];
        for (let round = 0; round < parts.rounds; round++) {
          // Who begins changes: what one leaves behind, such as a table to be vacuumed, falls on the other.
          const first = round % 2 ? here : there;
          const [a, b] = [await measure(first), await measure(first === here ? there : here)];
          pairs.push(first === here ? { here: a, there: b } : { here: b, there: a });
        }
        const ratios = pairs.map((pair) => pair.here / pair.there);
        parts.note(name, {
          here: median(pairs.map((pair) => pair.here)),
          there: median(pairs.map((pair) => pair.there)),
          ratio: median(ratios),
          ratios: ratios.map((ratio) => Number(ratio.toFixed(2))),
        });
      }
    } finally {
      await stopSide(there);
    }
  } finally {
    await stopSide(here);
  }
}
