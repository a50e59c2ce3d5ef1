/** `muster trace`: the spans of a job, computed from the stored job. */
import type { JsonObject } from '@bufbuild/protobuf';
import { Code, type Job, MusterError } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import { type JobSpan, jobSpans } from '../../../domain/events/job-spans.ts';
import { parseTraceparent, type TraceOrigin } from '../../../domain/events/trace.ts';
import type { Connection } from '../../connection.ts';
import { handled } from '../../invocation.ts';
import { showTrace } from '../../output/trace-view.ts';
import { present } from '../../require-field.ts';
import { tracedJob } from '../../trace/traced-job.ts';

export function addTrace(program: Command): void {
  program
    .command('trace')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Draw the trace of a job as a tree: its waits and attempts, with worker, duration and outcome')
    .addHelpText(
      'after',
      `
Computed from the stored job, without a tracing backend. The ids of its spans are derived from the job and the attempt.

Examples:
  muster trace 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster trace 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r '.spans[] | .spanId + " " + .name'`,
    )
    .action(
      handled<object, [jobId: string]>(async (invocation, _options, jobId) => {
        const { out } = invocation;
        const connection = await invocation.connection();
        const { namespace, jobs } = connection;
        const job = present((await jobs.getJob({ namespace, jobId })).job, 'job');
        const spans = jobSpans(tracedJob(job, await originOf(connection, job.retryOf)));
        if (out.json) return out.document(traceDocument(job, spans));
        showTrace(out, job, spans);
      }),
    );
}

/** Undefined without a job, or if it was deleted after its retention. */
async function originOf({ namespace, jobs }: Connection, jobId: string): Promise<TraceOrigin | undefined> {
  if (jobId === '') return undefined;
  try {
    return present((await jobs.getJob({ namespace, jobId })).job, 'job');
  } catch (error) {
    if (error instanceof MusterError && error.code === Code.NOT_FOUND) return undefined;
    throw error;
  }
}

function traceDocument(job: Job, spans: readonly JobSpan[]): JsonObject {
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
