/** The times of a schedule against its jobs: each time has one job, or is recorded as skipped. */
import { type Client, type ScheduleRun, ScheduleRunState } from '@muster-jobs/sdk';
import { eventually } from '../../support/base/eventually.ts';

const SECOND_US = 1_000_000;
/** Muster keeps no more runs. */
const MAX_RUNS = 1_000;

/** µs since 1970. */
const usOf = (time: { readonly seconds: bigint; readonly nanos: number } | undefined) =>
  Number(time?.seconds ?? 0n) * SECOND_US + (time?.nanos ?? 0) / 1_000;

/**
 * Pauses a schedule with one interval of whole seconds, and waits until everything before is decided. Resolves with what
 * is wrong.
 */
export async function missedTimes(
  client: Client,
  name: string,
  everyMs: number,
  timeoutMs: number,
): Promise<{ readonly started: number; readonly missed: readonly string[] }> {
  const everyUs = everyMs * 1_000;
  /** The end of the times that a run and the runs in its row represent. */
  const endOf = (run: ScheduleRun | undefined) => usOf(run?.nominalTime) + (run?.timeCount ?? 0) * everyUs;
  const pausedUs = usOf((await client.pauseSchedule(name, 'to be counted')).updateTime);
  const decided = async () => {
    const runs = await runsOf(client, name);
    const isDecided = endOf(runs.at(-1)) > pausedUs && runs.every(({ state }) => state !== ScheduleRunState.STARTING);
    return isDecided ? runs : undefined;
  };
  const runs = await eventually('everything up to the pause is decided', decided, { timeoutMs, everyMs: 200 });
  const createdUs = usOf((await client.getSchedule(name)).createTime);
  const missed: string[] = [];
  // The first time after its creation.
  let next = (Math.floor(createdUs / everyUs) + 1) * everyUs;
  const jobs = await jobsOf(client, name);
  for (const run of runs) {
    const time = new Date(usOf(run.nominalTime) / 1_000).toISOString();
    if (usOf(run.nominalTime) !== next)
      missed.push(`${name}: ${time} in place of ${new Date(next / 1_000).toISOString()}`);
    next = endOf(run);
    const wanted = run.state === ScheduleRunState.STARTED ? [run.jobId] : [];
    const made = jobs.get(time) ?? [];
    if (made.join() !== wanted.join()) missed.push(`${name} at ${time}: jobs ${made}, recorded ${wanted}`);
  }
  const started = runs.filter(({ state }) => state === ScheduleRunState.STARTED).length;
  if (jobs.size !== started) missed.push(`${name}: ${jobs.size} times have jobs, ${started} were started`);
  return { started, missed };
}

/** From the oldest. */
async function runsOf(client: Client, name: string): Promise<ScheduleRun[]> {
  const { runs, nextPageToken } = await client.listScheduleRuns(name, { pageSize: MAX_RUNS });
  if (nextPageToken !== '') throw new Error(`${name} has more than ${MAX_RUNS} runs`);
  return runs.toReversed();
}

async function jobsOf(client: Client, name: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const { jobId, labels } of client.list({ labels: { 'muster/schedule': name } })) {
    const time = labels['muster/schedule-time'] ?? '';
    found.set(time, [...(found.get(time) ?? []), jobId]);
  }
  return found;
}
