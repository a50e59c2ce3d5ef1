/** One worker process of each SDK on empty jobs: jobs per second, the worker's cost per job, and single-job latency. */
import { Client } from '../../sdk/typescript/src/index.ts';
import { type Deployment, startDeployment } from './deployment.ts';
import { inParallel, type Latency, latencyOf } from './measures.ts';
import { build, lackOfWorker, type RunningWorker, type SdkWorker, sdkWorkers, start } from './sdk-workers.ts';

interface Parts {
  readonly quick: boolean;
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}

const SLOTS = 1_000;
const BATCH = 500;
const POLL_MS = 20;
/** Enough for a JIT compiler to have compiled the code. */
const WARM_UP_JOBS = 20_000;

const input = { text: 'a job of some sixty bytes, as many are in practice' };

async function submitAll(client: Client, jobs: number): Promise<void> {
  const call = Array.from({ length: BATCH }, () => ({ definition: 'echo', input }));
  await inParallel(jobs / BATCH, 4, async () => {
    await client.submitMany(call);
  });
}

/** Resolves once the store counts no open job in the queue. */
async function untilEmpty(client: Client): Promise<void> {
  for (;;) {
    const { counts } = await client.getQueue('default');
    if (counts && counts.ready + counts.leased + counts.scheduled === 0n) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Rate {
  readonly 'jobs/s': number;
  /** Processor time in microseconds. */
  readonly 'worker, µs a job': number;
}

async function rate(worker: RunningWorker, jobs: number, work: () => Promise<void>): Promise<Rate> {
  const [cpu, startTime] = [worker.cpuMs(), performance.now()];
  await work();
  return {
    'jobs/s': Math.round((jobs / (performance.now() - startTime)) * 1_000),
    'worker, µs a job': Math.round(((worker.cpuMs() - cpu) / jobs) * 1_000),
  };
}

async function loneJobs(client: Client, samples: number, pauseMs: () => number): Promise<Latency> {
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs()));
    const sent = performance.now();
    await client.result(await client.submit('echo', input));
    times.push(performance.now() - sent);
  }
  return latencyOf(times);
}

async function measure(parts: Parts, deployment: Deployment, client: Client, one: SdkWorker): Promise<void> {
  const jobs = parts.quick ? 20_000 : 100_000;
  const note = (name: string, value: unknown) => parts.note(`${one.language}: ${name}`, value);
  const worker = start(one, deployment.address, SLOTS);
  const wholeLife = async (count: number) => {
    await submitAll(client, count);
    await untilEmpty(client);
  };
  try {
    await wholeLife(WARM_UP_JOBS);
    note('whole life, batches of 500', await rate(worker, jobs, () => wholeLife(jobs)));
    await client.pauseQueue('default');
    await submitAll(client, jobs);
    note(
      'working off ready jobs',
      await rate(worker, jobs, async () => {
        await client.resumeQueue('default');
        await untilEmpty(client);
      }),
    );
    const samples = parts.quick ? 200 : 1_000;
    await loneJobs(client, 50, () => 0);
    note('submit to result, pauses of 5 to 25 ms, ms', await loneJobs(client, samples, () => 5 + 20 * Math.random()));
    note('the same, one job after the other, ms', await loneJobs(client, samples, () => 0));
    note('memory of the worker, MB', worker.memory());
  } finally {
    await worker.stop();
  }
}

export async function sdksSideBySide(parts: Parts): Promise<void> {
  const deployment = await startDeployment(await parts.createDatabase?.());
  const client = new Client({ address: deployment.address });
  await client.applyDefinition({ name: 'echo' });
  try {
    for (const one of sdkWorkers) {
      const why = lackOfWorker(one);
      if (why) parts.note(`${one.language}: left out`, why);
      else {
        build(one);
        await measure(parts, deployment, client, one);
      }
    }
  } finally {
    client.close();
    await deployment.stop();
  }
}
