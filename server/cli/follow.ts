/** Follows a job until it ends, across restarts of the server, and shows its progress. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  Code,
  isTerminal,
  type Job,
  JobSchema,
  JobService,
  JobState,
  MusterError,
  stateName,
  type Workflow,
} from '@muster-jobs/sdk/grpc';
import { barText } from '../view/progress-words.ts';
import { jobRemark } from '../view/state-words.ts';
import { spanBetween, spanText } from '../view/times.ts';
import type { Connection } from './connection.ts';
import { exitOfJob } from './failures/exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { failureLines } from './output/job-view.ts';
import { payloadLines } from './output/payloads.ts';
import { printable } from './output/printable.ts';
import { LiveLine } from './output/progress.ts';
import { styledState } from './output/states.ts';
import { WorkflowProgress } from './workflow/how-far.ts';

/** Maximum wait for a server that restarts. */
const PATIENCE_MS = 60_000;
const FIRST_PATIENCE_MS = 1_500;
const PAUSE_MS = 250;

/** Each state of the job that the server sends, until it has ended or the signal aborts. */
async function* changes(connection: Connection, jobId: string, signal: AbortSignal): AsyncGenerator<Job> {
  let [revision, patience] = [-1n, FIRST_PATIENCE_MS];
  let deadline = performance.now() + patience;
  for (;;) {
    try {
      const stream = connection.stream(JobService.method.watchJob, { namespace: connection.namespace, jobId }, signal);
      for await (const { job } of stream) {
        patience = PATIENCE_MS;
        deadline = performance.now() + patience;
        if (job === undefined || job.revision <= revision) continue; // a repeat after a reconnect
        revision = job.revision;
        yield job;
        if (isTerminal(job.state)) return;
      }
      if (performance.now() >= deadline)
        throw new MusterError({ code: Code.UNAVAILABLE, message: 'the stream kept ending' });
    } catch (error) {
      const broke = error instanceof MusterError && error.code === Code.UNAVAILABLE;
      if (!broke || performance.now() >= deadline) throw error;
    }
    await delay(PAUSE_MS, undefined, { signal });
  }
}

export interface FollowOptions {
  /** Whether each change is shown. */
  readonly watch: boolean;
  /** Maximum time in milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * The job when it has ended or the timeout has passed; undefined if the timeout passed before the first state arrived.
 */
export async function follow(
  { out, signal }: Invocation,
  connection: Connection,
  jobId: string,
  { watch, timeout }: FollowOptions,
): Promise<Job | undefined> {
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const stop = limit === undefined ? signal : AbortSignal.any([signal, limit]);
  const show = watch ? shower(out) : undefined;
  const workflowProgress = show && new WorkflowProgress(connection, show.workflow);
  let last: Job | undefined;
  try {
    for await (const job of changes(connection, jobId, stop)) {
      last = job;
      show?.change(job);
      workflowProgress?.change(job);
    }
  } catch (error) {
    if (signal.aborted || !limit?.aborted) throw error;
  } finally {
    workflowProgress?.stop();
    show?.stop();
  }
  return last;
}

interface Shower {
  change(job: Job): void;
  /** For a running workflow; `text` is its progress. */
  readonly workflow: (workflow: Workflow, text: string) => void;
  stop(): void;
}

/** JSON lines for programs, an updated line on a terminal, a line per change elsewhere. */
function shower(out: Invocation['out']): Shower {
  const stop = () => {};
  if (out.json) return { change: (job) => out.messageItem(JobSchema, job), workflow: stop, stop };
  if (out.stderr.isTTY) return liveShower(out);
  const line = (state: JobState, text: string) =>
    out.line([new Date().toISOString(), stateName(state).padEnd(10), text].join('  ').trimEnd());
  return {
    change: (job) => line(job.state, printable(jobRemark(job))),
    workflow: ({ job }, text) => line(job?.state ?? JobState.WAITING, text),
    stop,
  };
}

function liveShower(out: Invocation['out']): Shower {
  const line = new LiveLine(out);
  return {
    change(job) {
      const attempt = job.attempt > 1 ? ` attempt ${job.attempt}` : '';
      const fraction = job.state === JobState.SUCCEEDED ? 1 : (job.progress?.fraction ?? 0);
      line.show(`${stateName(job.state)} ${job.definition}${attempt}`, fraction, printable(remarkOf(job)));
    },
    workflow: ({ job, progress }, text) =>
      line.show(`${stateName(job?.state ?? JobState.WAITING)} ${job?.definition}`, progress, text),
    stop: () => line.stop(),
  };
}

function remarkOf({ progress, state, stateReason }: Job): string {
  return (progress && !isTerminal(state) && barText(progress, Date.now())) || stateReason;
}

/** Shows how the job ended, or that it has not; returns the exit code. */
export function showEnd({ out }: Invocation, job: Job | undefined, options: FollowOptions): number {
  if (job === undefined || !isTerminal(job.state)) {
    const state = job === undefined ? 'unknown' : stateName(job.state);
    out.note(`After ${spanText(options.timeout ?? 0)} the job is ${state}; it continues.`);
    return exitOfJob(job?.state ?? JobState.UNSPECIFIED);
  }
  if (out.json) {
    if (!options.watch) out.message(JobSchema, job);
    return exitOfJob(job.state);
  }
  const took = spanBetween(job.createTime, job.endTime);
  const tries = job.attempt > 1 ? ` in ${job.attempt} attempts` : '';
  out.line(`Job ${job.jobId} ${styledState(out, job.state)} after ${took}${tries}`);
  for (const line of endLines(job)) out.line(`  ${line}`);
  return exitOfJob(job.state);
}

function endLines({ outcome, stateReason }: Job): string[] {
  if (outcome.case === 'result') return payloadLines(outcome.value);
  if (outcome.case === 'failure') return failureLines(outcome.value);
  return stateReason === '' ? [] : [printable(stateReason)];
}
