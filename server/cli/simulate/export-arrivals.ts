/** Exports the jobs that arrived at a server in a period as arrivals, with their recorded run times. */
import type { JsonObject } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Job, JobState } from '@muster-jobs/sdk/grpc';
import { MAX_ARRIVALS } from '../../tools/simulate/scenario.ts';
import { countText } from '../../view/times.ts';
import { CliError } from '../failures/cli-error.ts';
import { type FilterOptions, toJobFilter } from '../input/job-filter.ts';
import type { Invocation } from '../invocation.ts';
import { allPages } from '../pages.ts';

const DAY_MS = 86_400_000;
/** Reserved for labels that Muster sets. */
const RESERVED = 'muster/';

export type ExportOptions = Pick<FilterOptions, 'since' | 'until' | 'definition' | 'queue'>;

export async function exportArrivals(invocation: Invocation, options: ExportOptions): Promise<void> {
  const { out } = invocation;
  const jobs = await readJobs(invocation, { ...options, since: options.since ?? new Date(Date.now() - DAY_MS) });
  const cleanups = new Set(jobs.map(({ cleanupJobId }) => cleanupJobId));
  const arrived = jobs.filter(({ jobId }) => !cleanups.has(jobId)).reverse();
  const usual = medianRuns(arrived);
  let guessed = 0;
  let left = 0;
  for (const job of arrived) {
    const runMs = ranMs(job) ?? usual.get(job.definition);
    if (runMs === undefined) left++;
    else out.item(arrivalOf(job, runMs));
    if (runMs !== undefined && ranMs(job) === undefined) guessed++;
  }
  out.note(`${countText(arrived.length - left, 'job')} written`);
  if (guessed > 0)
    out.note(
      `${countText(guessed, 'job')} of them did not end by an attempt: they get the median run time of their definition`,
    );
  if (left > 0)
    out.note(`${countText(left, 'job')} left out: no job of their definition has ended by an attempt in that time`);
}

/** Newest first, in the order of the list. */
async function readJobs(invocation: Invocation, options: FilterOptions): Promise<Job[]> {
  const { jobs: service, namespace } = await invocation.connection();
  const filter = toJobFilter(options);
  const jobs: Job[] = [];
  for await (const page of allPages((pageToken, pageSize) =>
    service.listJobs({ filter, namespace, pageToken, pageSize }),
  )) {
    jobs.push(...page.jobs);
    if (jobs.length <= MAX_ARRIVALS) continue;
    throw new CliError({
      message: `more than ${MAX_ARRIVALS.toLocaleString('en-US')} jobs arrived in that time, the maximum of a simulation`,
      next: 'take a shorter time with --since and --until, or one queue with --queue',
    });
  }
  return jobs;
}

/** Run time of the last attempt; undefined: the job did not end by an attempt. */
function ranMs({ state, assignTime, endTime }: Job): number | undefined {
  const byAttempt = state === JobState.SUCCEEDED || state === JobState.FAILED;
  return byAttempt && assignTime && endTime
    ? Math.max(0, Math.round(timestampMs(endTime) - timestampMs(assignTime)))
    : undefined;
}

function medianRuns(jobs: readonly Job[]): Map<string, number> {
  const runs = new Map<string, number[]>();
  for (const job of jobs) {
    const ms = ranMs(job);
    if (ms !== undefined) runs.set(job.definition, [...(runs.get(job.definition) ?? []), ms]);
  }
  const middle = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return new Map([...runs].map(([definition, values]) => [definition, middle(values)]));
}

/**
 * As docs/simulate.md says, this loses the type of failures before a success, and refused submissions, which are not
 * recorded.
 */
function arrivalOf(job: Job, runMs: number): JsonObject {
  const { definition, queue, priority, labels, fairnessKey, limitKey, state, attemptCount } = job;
  const failure = job.outcome.case === 'failure' ? job.outcome.value.type : '';
  const failed = state === JobState.FAILED;
  const failures = state === JobState.SUCCEEDED ? Math.max(0, attemptCount - 1) : 0;
  const delay = delayMs(job);
  const own = Object.entries(labels).filter(([key]) => !key.startsWith(RESERVED));
  return {
    at: new Date(createdMs(job)).toISOString(),
    definition,
    queue,
    priority,
    ...(own.length > 0 ? { labels: Object.fromEntries(own) } : {}),
    fairnessKey,
    limitKey,
    ...(delay > 0 ? { delay: `${delay}ms` } : {}),
    run: `${runMs}ms`,
    ...(failed ? { outcome: 'failed', failureType: failure } : {}),
    ...(failures > 0 ? { failures } : {}),
  };
}

function createdMs({ createTime }: Job): number {
  return createTime ? Math.floor(timestampMs(createTime)) : 0;
}

/**
 * As docs/simulate.md says, this is lost with the second attempt: from then on a job's time to run is that of a
 * backoff, not the requested one.
 */
function delayMs({ runTime, attempt, createTime }: Job): number {
  if (!runTime || !createTime || attempt > 1) return 0;
  return Math.max(0, Math.round(timestampMs(runTime) - timestampMs(createTime)));
}
