/** The spans of a job that the control plane reports, derived from the stored job. */
import { isTerminal, type JobState } from '../jobs/job-state.ts';
import type { AttemptOutcome } from '../jobs/run.ts';
import { parseTraceparent, spanIdOf, type TraceOrigin, type TracePhase, traceIdOf } from './trace.ts';

/** One attempt. Times are microseconds since 1970 on the database's clock. */
export interface TracedAttempt {
  readonly attempt: number;
  readonly sessionId: string;
  /** Empty: unknown by now. */
  readonly workerName: string;
  /** Undefined: the attempt is open. */
  readonly outcome: AttemptOutcome | undefined;
  /** Whether it counts towards the maximum attempts of the retry policy. */
  readonly counted: boolean;
  readonly assignTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  /** Type of the failure that closed it; empty: none. */
  readonly errorType: string;
}

/** The step that a job runs. */
export interface TracedStep {
  readonly workflowJobId: string;
  /** The step's number. */
  readonly step: number;
}

/** A dependency of a job: a job, or a step of a workflow by its number. */
export interface TracedTarget {
  /** For a step: the workflow's job. */
  readonly jobId: string;
  readonly step: number | undefined;
}

/** Maximum links per reason from one span to other jobs; OpenTelemetry keeps 128 per span. */
export const MAX_LINKS = 100;

export interface TracedJob extends TraceOrigin {
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly state: JobState;
  readonly createTimeUs: number;
  readonly endTimeUs: number | undefined;
  /** Type of the failure that it ended with; empty: none. */
  readonly errorType: string;
  /** Sorted by number; the oldest may be missing. */
  readonly attempts: readonly TracedAttempt[];
  /** The job that this one retries; it has a trace of its own. */
  readonly retryOf: TraceOrigin | undefined;
  /** Left out: the job runs no step. A batch counts as a workflow with one step here. */
  readonly step?: TracedStep | undefined;
  /** Left out: no dependencies. */
  readonly dependsOn?: readonly TracedTarget[] | undefined;
  /** For a workflow: earlier jobs whose cached results its steps used; a sample if there are many. */
  readonly cached: readonly TraceOrigin[];
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface JobSpan {
  readonly phase: TracePhase;
  /** 0 for the phase `job`. */
  readonly attempt: number;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: this is the root span. */
  readonly parentSpanId: string | undefined;
  readonly startTimeUs: number;
  /** Undefined: the span is open. */
  readonly endTimeUs: number | undefined;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly SpanLink[];
}

/** Attribute names; they follow OpenTelemetry's semantic conventions for messaging where those define one. */
export const spanAttributes = {
  system: 'messaging.system',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  errorType: 'error.type',
  namespace: 'muster.namespace',
  queue: 'muster.queue',
  definition: 'muster.definition',
  definitionVersion: 'muster.definition_version',
  jobState: 'muster.job.state',
  attempt: 'muster.attempt.number',
  outcome: 'muster.attempt.outcome',
  counted: 'muster.attempt.counted',
  sessionId: 'muster.session.id',
  workerName: 'muster.worker.name',
  linkKind: 'muster.link.kind',
} as const;

const failedStates: ReadonlySet<JobState> = new Set(['FAILED', 'EXPIRED']);
const failedOutcomes: ReadonlySet<AttemptOutcome | undefined> = new Set<AttemptOutcome>([
  'FAILED',
  'ABORTED',
  'LAPSED',
  'SESSION_CLOSED',
  'TIMED_OUT',
]);

/** Other jobs that a job's own span links to. */
export interface LinkedJobs {
  /** Jobs of the steps that the job's own step needs. */
  readonly needed?: readonly TraceOrigin[] | undefined;
  /** Jobs that it depended on. */
  readonly targets?: readonly TraceOrigin[] | undefined;
}

/**
 * The job's own span and its child spans in order: a wait and an attempt for each attempt, and a wait that is still
 * open.
 */
export function jobSpans(job: TracedJob, linked: LinkedJobs = {}): JobSpan[] {
  const spans = [jobSpan(job, linked)];
  let previous: TracedAttempt | undefined;
  for (const attempt of job.attempts) {
    const wait = waitBefore(job, attempt, previous);
    if (wait) spans.push(wait);
    if (attempt.assignTimeUs !== undefined) spans.push(attemptSpan(job, attempt, attempt.assignTimeUs, previous));
    previous = attempt;
  }
  const last = lastWait(job, previous);
  return last ? [...spans, last] : spans;
}

function jobSpan(job: TracedJob, { needed = [], targets = [] }: LinkedJobs): JobSpan {
  return {
    ...identity(job, 'job', 0, parseTraceparent(job.traceparent)?.spanId),
    startTimeUs: job.createTimeUs,
    endTimeUs: job.endTimeUs,
    failed: failedStates.has(job.state),
    attributes: {
      ...commonAttributes(job),
      [spanAttributes.definitionVersion]: job.definitionVersion,
      [spanAttributes.jobState]: job.state,
      ...errorAttribute(failedStates.has(job.state), job.errorType),
    },
    links: [
      ...(job.retryOf ? [linkTo(job.retryOf, 'job', 0, 'retry_of')] : []),
      ...needed.map((origin) => linkTo(origin, 'job', 0, 'needs')),
      ...targets.map((origin) => linkTo(origin, 'job', 0, 'depends_on')),
      ...job.cached.map((one) => linkTo(one, 'job', 0, 'cached_step')),
    ],
  };
}

/**
 * From the submission, or the end of the previous attempt, until a session got the job. Undefined if the start is
 * unknown.
 */
function waitBefore(job: TracedJob, next: TracedAttempt, previous: TracedAttempt | undefined): JobSpan | undefined {
  const startTimeUs = previous ? previous.endTimeUs : next.attempt === 1 ? job.createTimeUs : undefined;
  if (startTimeUs === undefined || next.assignTimeUs === undefined) return undefined;
  return wait(job, next.attempt, startTimeUs, next.assignTimeUs);
}

/** The wait of a job that still waits, or that ended while it waited. */
function lastWait(job: TracedJob, last: TracedAttempt | undefined): JobSpan | undefined {
  const startTimeUs = last ? last.endTimeUs : job.createTimeUs;
  if (startTimeUs === undefined) return undefined;
  const ended = isTerminal(job.state);
  // The last attempt ended the job, so no wait follows it.
  if (ended && (job.endTimeUs === undefined || (last && job.endTimeUs <= startTimeUs))) return undefined;
  return wait(job, (last?.attempt ?? 0) + 1, startTimeUs, job.endTimeUs);
}

function wait(job: TracedJob, attempt: number, startTimeUs: number, endTimeUs: number | undefined): JobSpan {
  return {
    ...identity(job, 'wait', attempt, spanIdOf(job.jobId, 0, 'job')),
    startTimeUs,
    endTimeUs,
    failed: false,
    attributes: { ...commonAttributes(job), [spanAttributes.attempt]: attempt },
    links: [],
  };
}

function attemptSpan(
  job: TracedJob,
  attempt: TracedAttempt,
  startTimeUs: number,
  previous: TracedAttempt | undefined,
): JobSpan {
  const failed = failedOutcomes.has(attempt.outcome);
  return {
    ...identity(job, 'attempt', attempt.attempt, spanIdOf(job.jobId, 0, 'job')),
    startTimeUs,
    endTimeUs: attempt.endTimeUs,
    failed,
    attributes: {
      ...commonAttributes(job),
      [spanAttributes.attempt]: attempt.attempt,
      ...(attempt.outcome && { [spanAttributes.outcome]: attempt.outcome }),
      ...(attempt.outcome && { [spanAttributes.counted]: attempt.counted }),
      [spanAttributes.sessionId]: attempt.sessionId,
      ...(attempt.workerName !== '' && { [spanAttributes.workerName]: attempt.workerName }),
      ...errorAttribute(failed, attempt.errorType || (attempt.outcome ?? '')),
    },
    links: previous ? [linkTo(job, 'attempt', previous.attempt, 'retry_of')] : [],
  };
}

function identity(job: TracedJob, phase: TracePhase, attempt: number, parentSpanId: string | undefined) {
  const traceId = traceIdOf(job);
  const spanId = spanIdOf(job.jobId, attempt, phase);
  return { phase, attempt, name: `${phase} ${job.definition}`, traceId, spanId, parentSpanId };
}

function commonAttributes(job: TracedJob): Record<string, string> {
  return {
    [spanAttributes.system]: 'muster',
    [spanAttributes.destination]: job.definition,
    [spanAttributes.messageId]: job.jobId,
    [spanAttributes.namespace]: job.namespace,
    [spanAttributes.queue]: job.queue,
    [spanAttributes.definition]: job.definition,
  };
}

/** The error type of a failed span, with few distinct values, as the conventions require. */
function errorAttribute(failed: boolean, type: string): Record<string, string> {
  return failed ? { [spanAttributes.errorType]: type || '_OTHER' } : {};
}

function linkTo(
  origin: TraceOrigin,
  phase: TracePhase,
  attempt: number,
  kind: 'retry_of' | 'needs' | 'depends_on' | 'cached_step',
): SpanLink {
  return {
    traceId: traceIdOf(origin),
    spanId: spanIdOf(origin.jobId, attempt, phase),
    attributes: { [spanAttributes.linkKind]: kind },
  };
}
