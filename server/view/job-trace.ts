/** The trace of a job: its spans, computed from the stored job, and the document of them. */
import type { JsonObject } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type Attempt, AttemptOutcomeSchema } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { type Job, JobStateSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { type JobSpan, jobSpans, type TracedAttempt, type TracedJob } from '../domain/events/job-spans.ts';
import { parseTraceparent, type TraceOrigin } from '../domain/events/trace.ts';
import type { JobState } from '../domain/jobs/job-state.ts';
import type { AttemptOutcome } from '../domain/jobs/run.ts';

export interface JobTrace {
  readonly job: Job;
  /** The first one is the whole job. */
  readonly spans: readonly JobSpan[];
}

/** @param retryOf The job that it retries, if it still exists. */
export function jobTrace(job: Job, retryOf: TraceOrigin | undefined): JobTrace {
  return { job, spans: jobSpans(tracedJob(job, retryOf)) };
}

export function traceDocument({ job, spans }: JobTrace): JsonObject {
  const caller = parseTraceparent(job.traceparent);
  return {
    jobId: job.jobId,
    traceId: spans[0]?.traceId ?? '',
    callerSpanId: caller?.spanId ?? '',
    spans: spans.map(spanDocument),
  };
}

function spanDocument(span: JobSpan): JsonObject {
  const { phase, attempt, name, spanId, parentSpanId = '', startTimeUs, endTimeUs, failed } = span;
  return {
    phase,
    attempt,
    name,
    spanId,
    parentSpanId,
    startTime: timeText(startTimeUs),
    ...(endTimeUs !== undefined && { endTime: timeText(endTimeUs) }),
    failed,
    attributes: { ...span.attributes },
    links: span.links.map((link) => ({ ...link, attributes: { ...link.attributes } })),
  };
}

/** RFC 3339 with microseconds. */
function timeText(timeUs: number): string {
  const micros = String(timeUs % 1_000).padStart(3, '0');
  return new Date(Math.floor(timeUs / 1_000)).toISOString().replace('Z', `${micros}Z`);
}

function tracedJob(job: Job, retryOf: TraceOrigin | undefined): TracedJob {
  return {
    jobId: job.jobId,
    traceparent: job.traceparent,
    namespace: job.namespace,
    definition: job.definition,
    definitionVersion: job.definitionVersion,
    queue: job.queue,
    state: (JobStateSchema.value[job.state]?.localName ?? String(job.state)) as JobState,
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
