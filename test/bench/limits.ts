/** Jobs with all kinds of limits, fairness keys and priorities, compared in turns with plain jobs on one deployment. */
import { Client } from '../../sdk/typescript/src/index.ts';
import { median } from './against.ts';
import { type BenchWorker, startDeployment, startWorker } from './deployment.ts';
import { type Submission, throughput } from './measures.ts';

const TENANTS = 100;
const WARM_UP_JOBS = 10_000;
const TURN_JOBS = 10_000;

/** Wide enough to delay nothing for long: the benchmark measures the cost of checking the limits. */
const limited = {
  name: 'limited',
  body: { case: 'task', value: { handler: 'nothing' } },
  queue: 'limited',
  fairnessKey: 'input.tenant',
  maxConcurrency: 50_000,
  rateLimit: { units: 1_000_000, burst: 1_000_000 },
  keyLimit: { key: 'input.tenant', maxConcurrency: 1_000 },
} as const;

interface Kind {
  readonly submissionOf: (n: number) => Submission;
}

const input = (n: number) => ({ n, tenant: `tenant-${n % TENANTS}`, text: 'as many bytes as others' });

const plain: Kind = { submissionOf: (n) => ({ definition: 'nothing', input: input(n) }) };
const shaped: Kind = { submissionOf: (n) => ({ definition: 'limited', input: input(n), priority: n % 5 }) };

interface Parts {
  readonly rounds: number;
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

async function compare(parts: Parts, client: Client, worker: BenchWorker, batch: number, width: number) {
  const jobs = batch === 1 ? TURN_JOBS / 5 : TURN_JOBS;
  const run = ({ submissionOf }: Kind) => throughput(client, worker, jobs, batch, width, submissionOf);
  const rounds: { readonly plain: number; readonly limited: number }[] = [];
  for (let round = 0; round < parts.rounds; round++) {
    const first = round % 2 ? plain : shaped;
    const [a, b] = [await run(first), await run(first === plain ? shaped : plain)];
    rounds.push(first === plain ? { plain: a, limited: b } : { plain: b, limited: a });
  }
  parts.note(`whole life, batches of ${batch}, jobs/s`, {
    plain: median(rounds.map((round) => round.plain)),
    limited: median(rounds.map((round) => round.limited)),
    ratio: median(rounds.map((round) => round.limited / round.plain)),
  });
}

export async function limitsAgainstPlain(parts: Parts): Promise<void> {
  const deployment = await startDeployment(await parts.createDatabase?.());
  const client = new Client({ address: deployment.address });
  await client.applyDefinition({ name: 'nothing' });
  await client.applyDefinition(limited);
  const worker = await startWorker(deployment.address, 1_000);
  try {
    for (const kind of [plain, shaped]) await throughput(client, worker, WARM_UP_JOBS, 100, 8, kind.submissionOf);
    await compare(parts, client, worker, 100, 8);
    await compare(parts, client, worker, 500, 4);
    await compare(parts, client, worker, 1, 128);
  } finally {
    await worker.stop();
    client.close();
    await deployment.stop();
  }
}
