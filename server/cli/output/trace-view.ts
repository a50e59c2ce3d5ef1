/** Shows a job's trace: its spans as a tree with time, duration, worker and reason. */
import { type Attempt, type Failure, FailureCauseSchema, type Job } from '@muster/sdk/grpc';
import { type JobSpan, spanAttributes } from '../../domain/events/job-spans.ts';
import { parseTraceparent } from '../../domain/events/trace.ts';
import type { Output } from './output.ts';
import { jobRemark, styledState } from './states.ts';
import { spanText } from './times.ts';

interface Row {
  readonly tree: string;
  readonly span?: JobSpan | undefined;
  readonly id: string;
  readonly what: string;
}

export function showTrace(out: Output, job: Job, spans: readonly JobSpan[]): void {
  const [root] = spans;
  if (root === undefined) return;
  out.line(`${out.styled('bold', `Trace ${root.traceId}`)}  job ${job.jobId}  ${styledState(out, job.state)}`);
  const since = (span: JobSpan | undefined) =>
    span ? `+${spanText((span.startTimeUs - root.startTimeUs) / 1_000)}` : '';
  out.table(
    [
      { title: 'SPAN', value: ({ tree }) => tree },
      { title: 'START', value: ({ span }) => since(span) },
      { title: 'TOOK', value: ({ span }) => tookText(span) },
      { title: 'ID', value: ({ id }) => id },
      { title: 'WHAT', value: ({ what }) => what, min: 8 },
    ],
    rowsOf(job, spans),
  );
}

function rowsOf(job: Job, spans: readonly JobSpan[]): Row[] {
  const [root, ...parts] = spans;
  if (root === undefined) return [];
  const caller = parseTraceparent(job.traceparent);
  const callerRow = {
    tree: `caller of ${job.definition}`,
    id: caller?.spanId ?? '',
    what: 'the span that submitted it',
  };
  const what = [`queue ${job.queue}`, jobRemark(job), linkText(root)].filter(Boolean).join(', ');
  const rootRow = { tree: root.name, span: root, id: root.spanId, what };
  const attempts = new Map(job.attempts.map((attempt) => [attempt.attempt, attempt]));
  const below = parts.flatMap((span, at) => branch(span, attempts.get(span.attempt), at === parts.length - 1));
  return [...(caller ? [callerRow] : []), rootRow, ...below];
}

/** The rows of a wait, or of an attempt and the worker's span in it. */
function branch(span: JobSpan, attempt: Attempt | undefined, last: boolean): Row[] {
  const [fork, line] = last ? ['└─ ', '   '] : ['├─ ', '│  '];
  const row = { tree: `${fork}${span.phase} ${span.attempt}`, span, id: span.spanId };
  if (span.phase !== 'attempt' || attempt === undefined) return [{ ...row, what: '' }];
  const who = `worker ${attempt.workerName || 'unknown'}, session ${attempt.sessionId}`;
  const outcome = String(span.attributes[spanAttributes.outcome] ?? 'open');
  const facts = [outcome, causeText(attempt.failure), linkText(span)];
  // A released attempt was never started.
  if (outcome === 'RELEASED') return [{ ...row, what: [...facts, who].filter(Boolean).join(', ') }];
  const handler = { tree: `${line}└─ process`, id: '', what: who };
  return [{ ...row, what: facts.filter(Boolean).join(', ') }, handler];
}

function tookText(span: JobSpan | undefined): string {
  if (span === undefined) return '';
  return span.endTimeUs === undefined ? '…' : spanText((span.endTimeUs - span.startTimeUs) / 1_000);
}

function causeText(failure: Failure | undefined): string {
  if (failure === undefined) return '';
  const cause = FailureCauseSchema.value[failure.failureCause]?.localName ?? '';
  return `${failure.type || 'failure'}: ${failure.message}${cause && ` (${cause})`}`;
}

/** The spans that this one follows. */
function linkText({ phase, links }: JobSpan): string {
  return links.map((link) => `after ${phase === 'job' ? `trace ${link.traceId}` : `span ${link.spanId}`}`).join(', ');
}
