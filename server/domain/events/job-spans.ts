/** The spans of a job that the control plane answers for, drawn from what is stored with it. */
import { isTerminal, type JobState } from '../jobs/job-state.ts';
import type { AttemptOutcome } from '../jobs/run.ts';
import { parseTraceparent, spanIdOf, type TraceOrigin, type TracePhase, traceIdOf } from './trace.ts';

/** One try. Times are microseconds since 1970, on the database's clock. */
export interface TracedAttempt {
  readonly attempt: number;
  readonly sessionId: string;
  /** Empty: not known any more. */
  readonly workerName: string;
  /** Undefined: it is open. */
  readonly outcome: AttemptOutcome | undefined;
  /** Whether it counts towards the attempts that the retry policy allows. */
  readonly counted: boolean;
  readonly assignTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  /** Type of the failure that closed it; empty: none. */
  readonly errorType: string;
}

/** The step that a job is of. */
export interface TracedStep {
  readonly workflowJobId: string;
  /** Its number. */
  readonly step: number;
}

/** What a job depended on: a job, or a step of a workflow by its number. */
export interface TracedTarget {
  /** The workflow's, of a step. */
  readonly jobId: string;
  readonly step: number | undefined;
}

/** Of a span to jobs that it is linked to for one reason; OpenTelemetry keeps 128 in all. */
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
  /** In the order of their numbers; the oldest may be missing. */
  readonly attempts: readonly TracedAttempt[];
  /** The job that this one retries: a trace of its own. */
  readonly retryOf: TraceOrigin | undefined;
  /** Left out: it is of none. Batches count as workflows of one step here. */
  readonly step?: TracedStep | undefined;
  /** Left out: nothing. */
  readonly dependsOn?: readonly TracedTarget[] | undefined;
  /** Of a workflow: earlier jobs whose results its steps took, some of them where they are many. */
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
  /** Undefined: the trace begins with it. */
  readonly parentSpanId: string | undefined;
  readonly startTimeUs: number;
  /** Undefined: it goes on. */
  readonly endTimeUs: number | undefined;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly SpanLink[];
}

/** Names of attributes, after the semantic conventions of OpenTelemetry for messaging where those have one. */
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

/** Other jobs that a job's own span is linked to. */
export interface LinkedJobs {
  /** Jobs of the steps that its own one needs. */
  readonly needed?: readonly TraceOrigin[] | undefined;
  /** Those that it depended on. */
  readonly targets?: readonly TraceOrigin[] | undefined;
}

/** The job's own span, and under it, as they came: a wait and an attempt for each try, and a wait that is not over yet. */
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

/** From the submission, or the end of the attempt before, until a session got the job. Undefined where nobody knows when it began. */
function waitBefore(job: TracedJob, next: TracedAttempt, previous: TracedAttempt | undefined): JobSpan | undefined {
  const startTimeUs = previous ? previous.endTimeUs : next.attempt === 1 ? job.createTimeUs : undefined;
  if (startTimeUs === undefined || next.assignTimeUs === undefined) return undefined;
  return wait(job, next.attempt, startTimeUs, next.assignTimeUs);
}

/** Of a job that waits, or that ended while it waited. */
function lastWait(job: TracedJob, last: TracedAttempt | undefined): JobSpan | undefined {
  const startTimeUs = last ? last.endTimeUs : job.createTimeUs;
  if (startTimeUs === undefined) return undefined;
  const ended = isTerminal(job.state);
  // The last attempt ended the job: nothing was waited for after it.
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

/** A span that failed says why in a word of few values, as the conventions ask. */
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
