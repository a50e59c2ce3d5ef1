/** A worker whose session stops while its handlers run on: another worker gets the jobs once the lease has ended. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import type { Run } from '../../harness/run.ts';
import type { WorkerProcess } from '../../harness/worker-process.ts';
import { SHORT } from '../plan.ts';
import { type Fault, require, seconds } from './fault.ts';

/** Few at a time, so that the other workers have slots left for those that the Python worker loses. */
const JOBS_AT_ONCE = 10;
const MAX_JOBS = 40;
const LEASES = 2;
/** Still in progress when the lease ends, whenever it began. */
const HANDLER_LEASES = 3;

const sessionStopped: Fault = {
  name: 'session process of the Python worker stopped, and not its handlers',
  // Handlers of many leases would be too long otherwise.
  fits: ({ leaseMs }) => leaseMs === SHORT.leaseMs,
  async inflict({ run }) {
    const { leaseMs } = run.deployment;
    const worker = run.workers.find(({ place }) => place.language === 'python');
    if (!worker) throw new Error('there is no Python worker');
    const pid = await sessionOf(worker);
    const request = { definition: 'slow', input: { ms: HANDLER_LEASES * leaseMs } };
    const jobs = new Set<string>();
    const started = () => worker.records().filter(({ kind, job }) => kind === 'start' && jobs.has(job ?? ''));
    const startSome = async () => {
      if (started().length > 0) return true;
      if (jobs.size < MAX_JOBS) for (const job of await submit(run, Array(JOBS_AT_ONCE).fill(request))) jobs.add(job);
      return false;
    };
    await eventually('the Python worker runs some of them', startSome, { timeoutMs: 60_000, everyMs: 500 });
    process.kill(pid, 'SIGSTOP');
    try {
      const stoppedAt = performance.now();
      await Promise.all([delay(LEASES * leaseMs), run.progress(10)]);
      const lost = new Set(started().map(({ job }) => job));
      const again = () => {
        const begun = run.records().filter(({ kind, job }) => kind === 'start' && lost.has(job));
        return new Set(begun.filter((one) => one.worker !== worker.name).map(({ job }) => job)).size;
      };
      // Others may have lapsed meanwhile: a mass lapse takes a lease more. Or no slot is free.
      await eventually('jobs of it begin at other workers', () => again() > 0, { timeoutMs: 60_000, everyMs: 200 });
      const isStopped = /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      const lapsed = await run.facts.hasLapsed(worker.name);
      const ms = performance.now() - stoppedAt;
      const what = `stopped for ${seconds(ms)} with ${lost.size} long handlers, of which ${again()} began elsewhere`;
      return require(isStopped && lapsed, what);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  },
};

async function sessionOf(worker: WorkerProcess): Promise<number> {
  await worker.ready();
  const find = () => worker.records().find(({ sessionPid }) => sessionPid !== undefined)?.sessionPid;
  return eventually('the Python worker names its session process', find);
}

async function submit(run: Run, requests: Parameters<Run['load']['submitMany']>[1]): Promise<readonly string[]> {
  const client = run.load.client();
  try {
    return await run.load.submitMany(client, requests);
  } finally {
    client.close();
  }
}

export const fenceFaults: readonly Fault[] = [sessionStopped];
