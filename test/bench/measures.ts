/** The measures of the benchmark, each on a running deployment. */
import type { Client } from '../../sdk/typescript/src/index.ts';
import type { BenchWorker } from './deployment.ts';

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The value that the given share of the samples does not exceed, to two decimal places. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Number((sorted[at] ?? Number.NaN).toFixed(2));
}

export function latencyOf(samples: readonly number[]): Latency {
  return { p50: quantile(samples, 0.5), p99: quantile(samples, 0.99), max: quantile(samples, 1) };
}

/** Runs `count` pieces of work, at most `width` at a time. */
export async function inParallel(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** How the jobs are submitted. */
export interface Submission {
  readonly definition: string;
  readonly input: unknown;
  readonly priority?: number;
}

function plain(n: number): Submission {
  return { definition: 'nothing', input: { n, text: 'a job of some sixty bytes, as many are in practice' } };
}

function submitOne(client: Client, { definition, input, ...rest }: Submission) {
  return client.submit(definition, input, rest);
}

/** Jobs per second from the first submission until the last outcome is stored. */
export async function throughput(
  client: Client,
  worker: BenchWorker,
  jobs: number,
  batch: number,
  width: number,
  submissionOf: (n: number) => Submission = plain,
): Promise<number> {
  const done = worker.untilHandled(jobs);
  const last: string[] = [];
  const start = performance.now();
  await inParallel(Math.ceil(jobs / batch), width, async () => {
    const submitted =
      batch === 1
        ? [await submitOne(client, submissionOf(0))]
        : await client.submitMany(Array.from({ length: batch }, (_, n) => submissionOf(n)));
    last.push(submitted.at(-1)?.jobId as string);
  });
  await done;
  // Every handler has run, but the last results may not be stored yet.
  for (const id of last.slice(-20)) await client.wait(id);
  return Math.round((jobs / (performance.now() - start)) * 1000);
}

/** Milliseconds from the call of `submit` to the start of the handler, one job at a time. */
export async function idleLatency(client: Client, samples: number, pauseMs: () => number): Promise<Latency> {
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs()));
    const sent = performance.timeOrigin + performance.now();
    const job = await client.submit('clock', null);
    times.push((await client.result<number>(job)) - sent);
  }
  return latencyOf(times);
}
