/**
 * This checkout against another one. Both run at once and take turns, so that a slow machine slows both. The client and the
 * worker of each side are those of its checkout's SDK: the contracts may differ.
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from '../../sdk/typescript/src/index.ts';
import { type BenchWorker, type Deployment, root, startDeployment, startWorker } from './deployment.ts';
import { idleLatency, quantile, throughput } from './measures.ts';

const WARM_UP_JOBS = 10_000;

interface Side {
  readonly client: Client;
  readonly worker: BenchWorker;
  readonly deployment: Deployment;
}

type StartedSide = Omit<Side, 'worker'> & { readonly worker: BenchWorker | undefined };

export interface AgainstParts {
  /** Another checkout of Muster, with its packages installed. */
  readonly checkout: string;
  /** Turns of each side. */
  readonly rounds: number;
  /** Creates a database for each side; undefined: embedded. */
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

async function connect(checkout: string, address: string): Promise<Client> {
  const sdk = await import(pathToFileURL(join(checkout, 'sdk/typescript/src/index.ts')).href);
  return new sdk.Client({ address });
}

async function startSide(parts: AgainstParts, checkout: string): Promise<Side> {
  const deployment = await startDeployment(await parts.createDatabase?.(), [], checkout);
  const client = await connect(checkout, deployment.address);
  let worker: BenchWorker | undefined;
  try {
    for (const name of ['nothing', 'clock']) await client.applyDefinition({ name });
    worker = await startWorker(deployment.address, 1_000, checkout);
    await throughput(client, worker, WARM_UP_JOBS, 100, 8);
    return { client, worker, deployment };
  } catch (error) {
    await stopSide({ client, worker, deployment });
    throw error;
  }
}

/** Also stops a side that has started only in part. */
async function stopSide({ client, worker, deployment }: StartedSide): Promise<void> {
  await worker?.stop();
  client.close();
  await deployment.stop();
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

interface Measure {
  readonly name: string;
  /** Jobs of one turn. */
  readonly jobs: number;
  readonly run: (side: Side, jobs: number) => Promise<number>;
}

/** Each value is of one turn. Higher is better, except for milliseconds. */
const measures: readonly Measure[] = [
  {
    name: 'whole life, batches of 100, jobs/s',
    jobs: 30_000,
    run: ({ client, worker }, jobs) => throughput(client, worker, jobs, 100, 8),
  },
  {
    name: 'whole life, batches of 500, jobs/s',
    jobs: 30_000,
    run: ({ client, worker }, jobs) => throughput(client, worker, jobs, 500, 4),
  },
  {
    name: 'whole life, unary submission, jobs/s',
    jobs: 2_000,
    run: ({ client, worker }, jobs) => throughput(client, worker, jobs, 1, 128),
  },
  {
    name: 'submit to handler start, p50, ms',
    jobs: 300,
    run: async ({ client }, jobs) => (await idleLatency(client, jobs, () => 0)).p50,
  },
];

interface Turn {
  readonly value: number;
  /** Of the control plane, in µs per job. It depends much less on other load on the machine than the rates do. */
  readonly cpu: number;
}

async function takeTurn(side: Side, { jobs, run }: Measure): Promise<Turn> {
  const before = side.deployment.cpuMs();
  const value = await run(side, jobs);
  return { value, cpu: ((side.deployment.cpuMs() - before) * 1000) / jobs };
}

interface Round {
  readonly here: Turn;
  readonly there: Turn;
}

/** Medians of both sides, and the median over the rounds of this side's share of the other's value. */
function compare(rounds: readonly Round[], pick: (turn: Turn) => number) {
  const ratios = rounds.map(({ here, there }) => pick(here) / pick(there));
  return {
    here: median(rounds.map(({ here }) => pick(here))),
    there: median(rounds.map(({ there }) => pick(there))),
    ratio: median(ratios),
    ratios: ratios.map((ratio) => Number(ratio.toFixed(2))),
  };
}

/** Notes the comparison of both sides in each measure, and in the cost to the control plane. */
export async function against(parts: AgainstParts): Promise<void> {
  const here = await startSide(parts, root);
  try {
    const there = await startSide(parts, resolve(parts.checkout));
    try {
      for (const measure of measures) {
        const rounds: Round[] = [];
        for (let round = 0; round < parts.rounds; round++) {
          // The first side changes: what one leaves behind, such as a table to vacuum, burdens the other.
          const first = round % 2 ? here : there;
          const [a, b] = [await takeTurn(first, measure), await takeTurn(first === here ? there : here, measure)];
          rounds.push(first === here ? { here: a, there: b } : { here: b, there: a });
        }
        parts.note(
          measure.name,
          compare(rounds, (turn) => turn.value),
        );
        parts.note(
          '  the control plane on a processor, µs a job',
          compare(rounds, (turn) => turn.cpu),
        );
      }
    } finally {
      await stopSide(there);
    }
  } finally {
    await stopSide(here);
  }
}
