/** The trace of a job as the rows of a tree. */
import type { Attempt } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { type Failure, FailureCauseSchema } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import { type JobSpan, spanAttributes } from '../domain/events/job-spans.ts';
import { parseTraceparent } from '../domain/events/trace.ts';
import type { JobTrace } from './job-trace.ts';
import { jobRemark } from './state-words.ts';
import { spanText } from './times.ts';

export interface TraceRow {
  /** Lines of the tree and name of the span. */
  readonly tree: string;
  /** Undefined for a span of the caller or the worker, whose times are not stored. */
  readonly span?: JobSpan | undefined;
  readonly id: string;
  readonly what: string;
}

/** The tree of the spans, below the caller's span if there is one. */
export function traceRows({ job, spans }: JobTrace): TraceRow[] {
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
function branch(span: JobSpan, attempt: Attempt | undefined, last: boolean): TraceRow[] {
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

/** Empty without a span, `…` while it is open. */
export function tookText(span: JobSpan | undefined): string {
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
