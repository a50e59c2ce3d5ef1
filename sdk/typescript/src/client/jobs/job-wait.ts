/** Waits for a job's end with repeated long polls. */
import { durationFromMs } from '../../duration.ts';
import { Code, JobFailedError, MusterError } from '../../error.ts';
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import { JobState } from '../../gen/muster/v1/job_pb.ts';
import type { JobService, WaitJobRequest } from '../../gen/muster/v1/job_service_pb.ts';
import { isTerminal, stateName } from '../../job-state.ts';
import type { Known } from '../../options/known-options.ts';
import { decodePayload } from '../../payload.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import type { TransportRetry } from '../transport-retry.ts';
import { withRetry } from '../transport-retry.ts';

/** Maximum duration of one long poll on the server, in milliseconds. */
const POLL_MS = 30_000;
/** Milliseconds added to the deadline of a long poll for its round trip. */
const SLACK_MS = 5_000;

/** Bounds a wait. */
export interface WaitOptions {
  /** Maximum wait in milliseconds. Default: no limit. */
  readonly timeoutMs?: number;
  /** Ends the wait early with CANCELLED; the job continues. */
  readonly signal?: AbortSignal;
}

export const waitOptions: Known<WaitOptions> = { timeoutMs: true, signal: true };

type Jobs = UnaryClient<(typeof JobService)['method']>;

/** Returns the job when it has ended or the time is up, whichever comes first. */
export async function waitForEnd(
  jobs: Jobs,
  retry: TransportRetry,
  target: Pick<WaitJobRequest, 'namespace' | 'jobId'>,
  options: WaitOptions,
): Promise<Job> {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
  const end = performance.now() + timeoutMs;
  // A wait survives a restart of the control plane: it is bounded by time, not by a number of tries.
  const patient = { ...retry, maxAttempts: Number.POSITIVE_INFINITY };
  for (;;) {
    const poll = Math.max(0, Math.min(POLL_MS, end - performance.now()));
    const response = await withRetry(patient, { timeoutMs: poll + SLACK_MS, signal }, (left) =>
      jobs.waitJob(
        { ...target, timeout: durationFromMs(Math.min(poll, left)) },
        { timeoutMs: left + SLACK_MS, signal },
      ),
    );
    if (response.job === undefined) throw new MusterError({ code: Code.INTERNAL, message: 'the reply names no job' });
    if (isTerminal(response.job.state) || performance.now() >= end) return response.job;
  }
}

/**
 * The result that the handler returned.
 *
 * @throws JobFailedError when the job ended in another state than SUCCEEDED.
 * @throws MusterError DEADLINE_EXCEEDED when it has not ended yet.
 */
export function jobResult(job: Job): unknown {
  if (job.state === JobState.SUCCEEDED && job.outcome.case === 'result') return decodePayload(job.outcome.value);
  if (job.state === JobState.SUCCEEDED) return undefined;
  if (isTerminal(job.state)) throw new JobFailedError(job);
  throw new MusterError({
    code: Code.DEADLINE_EXCEEDED,
    message: `job ${job.jobId} has not ended yet: it is ${stateName(job.state)}`,
    reason: 'WAIT_TIMEOUT',
    metadata: { job_id: job.jobId },
  });
}
