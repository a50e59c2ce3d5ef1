/** Converts a job of the contract to the input of the span computation. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type Attempt, AttemptOutcomeSchema, type Job, stateName } from '@muster/sdk/grpc';
import type { TracedAttempt, TracedJob } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { AttemptOutcome } from '../../domain/jobs/run.ts';

/** @param retryOf The job that it retries, if it still exists. */
export function tracedJob(job: Job, retryOf: TraceOrigin | undefined): TracedJob {
  return {
    jobId: job.jobId,
    traceparent: job.traceparent,
    namespace: job.namespace,
    definition: job.definition,
    definitionVersion: job.definitionVersion,
    queue: job.queue,
    state: stateName(job.state) as JobState,
    createTimeUs: microseconds(job.createTime) ?? 0,
    endTimeUs: microseconds(job.endTime),
    errorType: job.outcome.case === 'failure' ? job.outcome.value.type : '',
    attempts: job.attempts.map(tracedAttempt),
    retryOf,
    // The job does not contain the cached results of its steps; `muster graph` shows them.
    cached: [],
  };
}

function tracedAttempt(attempt: Attempt): TracedAttempt {
  return {
    attempt: attempt.attempt,
    sessionId: attempt.sessionId,
    workerName: attempt.workerName,
    outcome:
      attempt.outcome === 0
        ? undefined
        : (AttemptOutcomeSchema.value[attempt.outcome]?.localName as AttemptOutcome | undefined),
    counted: attempt.counted,
    assignTimeUs: microseconds(attempt.assignTime),
    endTimeUs: microseconds(attempt.endTime),
    errorType: attempt.failure?.type ?? '',
  };
}

function microseconds(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : Number(time.seconds) * 1e6 + Math.floor(time.nanos / 1_000);
}
