/** A batch: members stored and run per second, compared with the same jobs without a batch. */
import { Client, type JobRequest, type MemberOptions } from '../../sdk/typescript/src/index.ts';
import { type BenchWorker, startDeployment, startWorker } from './deployment.ts';

interface Parts {
  readonly quick: boolean;
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

const JOBS_PER_CALL = 1_000;
const CALLS_AT_ONCE = 4;
const ROUNDS = 3;

async function submitAll(client: Client, jobs: number, options: MemberOptions): Promise<number> {
  const call: JobRequest[] = Array.from({ length: JOBS_PER_CALL }, () => ({ definition: 'nothing' }));
  const start = performance.now();
  let left = jobs / JOBS_PER_CALL;
  const submitter = async () => {
    while (left-- > 0) await client.submitMany(call, options);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, submitter));
  return performance.now() - start;
}

const perSecond = (jobs: number, ms: number) => Math.round((jobs / ms) * 1_000);

/** From the first call until the last job has ended, or the batch itself. */
async function timed(client: Client, worker: BenchWorker, jobs: number, isBatch: boolean) {
  const handled = worker.untilHandled(jobs);
  const start = performance.now();
  const batch = isBatch ? await client.createBatch() : undefined;
  const stored = await submitAll(client, jobs, batch ? { batch } : {});
  await batch?.seal();
  await handled;
  await batch?.wait();
  return { 'stored/s': perSecond(jobs, stored), 'ended/s': perSecond(jobs, performance.now() - start) };
}

export async function batchAgainstPlain({ quick, createDatabase, note }: Parts): Promise<void> {
  const deployment = await startDeployment(await createDatabase?.());
  const client = new Client({ address: deployment.address, timeoutMs: 600_000 });
  await client.applyDefinition({ name: 'nothing' });
  const worker = await startWorker(deployment.address, 1_000);
  const jobs = quick ? 20_000 : 100_000;
  try {
    await timed(client, worker, 10_000, false);
    for (let round = 1; round <= ROUNDS; round++) {
      note(`${jobs} jobs, round ${round}`, await timed(client, worker, jobs, false));
      note(`a batch of ${jobs}, round ${round}`, await timed(client, worker, jobs, true));
    }
  } finally {
    await worker.stop();
    client.close();
    await deployment.stop();
  }
}
