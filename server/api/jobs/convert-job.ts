/** Converts jobs and submissions between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  type Attempt,
  AttemptSchema,
  type LateReport,
  LateReportSchema,
} from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import {
  type Cancellation,
  CancellationSchema,
  IdempotencyConflictPolicy,
  type Job,
  JobSchema,
  type JobSubmission,
} from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { Failure } from '../../domain/base/payload.ts';
import { MAX_KEY } from '../../domain/definitions/key-expression.ts';
import { parseTraceparent, traceparentOf } from '../../domain/events/trace.ts';
import { waitReasons } from '../../domain/explain/wait-reasons.ts';
import { cancelStages } from '../../domain/jobs/cancel-stage.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { attemptOutcomes, skipReasons } from '../../domain/jobs/run.ts';
import type { AttemptView, JobView } from '../../engine/ports/jobs.ts';
import type { Submission } from '../../engine/ports/submissions.ts';
import {
  checkDottedName,
  checkLabels,
  checkName,
  checkRange,
  checkText,
  durationMs,
  payloadFrom,
  TEN_YEARS_MS,
  THIRTY_DAYS_MS,
  timestampUs,
} from '../base/checks.ts';
import { failureTo, payloadTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { dependenciesFrom } from '../dependencies/convert-dependency.ts';
import { demandsFrom, stickyFrom } from '../dispatch/convert-demands.ts';
import { retryPolicyFrom } from '../retries/convert-retry-policy.ts';
import { progressTo } from './convert-progress.ts';
import { softDeadlineFrom } from './convert-soft-deadline.ts';

/**
 * A trace context in the form of version 00. A malformed one is dropped together with its state, as W3C requires: it
 * must never fail the call.
 */
export function traceFrom(traceparent: string, tracestate: string): TraceFields {
  const context = parseTraceparent(traceparent);
  return context ? { traceparent: traceparentOf(context), tracestate } : { traceparent: '', tracestate: '' };
}

const policies: Record<IdempotencyConflictPolicy, Submission['conflictPolicy']> = {
  [IdempotencyConflictPolicy.UNSPECIFIED]: 'USE_EXISTING',
  [IdempotencyConflictPolicy.FAIL]: 'FAIL',
  [IdempotencyConflictPolicy.USE_EXISTING]: 'USE_EXISTING',
  [IdempotencyConflictPolicy.REPLACE]: 'REPLACE',
};

/** A W3C trace context as stored with a job; empty: none. */
export type TraceFields = Pick<Submission, 'traceparent' | 'tracestate'>;

export interface SubmissionDefaults {
  readonly maxPayload: number;
  /** Trace context of the call. */
  readonly trace: TraceFields;
  /** Maximum labels of a caller. Default 64. */
  readonly maxLabels?: number;
}

export function submissionFrom(
  wire: JobSubmission,
  path: string,
  defaults: SubmissionDefaults,
  violations: Violations,
): Submission {
  checkDottedName(wire.definition, `${path}.definition`, violations);
  violations.check(wire.definitionVersion >= 0, `${path}.definition_version`, 'must not be negative');
  if (wire.idempotencyKey) checkText(wire.idempotencyKey, 256, `${path}.idempotency_key`, violations);
  const conflictPolicy = policies[wire.idempotencyConflictPolicy];
  if (!conflictPolicy)
    violations.add(`${path}.idempotency_conflict_policy`, `has the unknown value ${wire.idempotencyConflictPolicy}`);
  checkLabels(wire.labels, defaults.maxLabels ?? 64, `${path}.labels`, violations);
  if (wire.priority !== undefined) checkRange(wire.priority, -100, 100, `${path}.priority`, violations);
  if (wire.queue) checkName(wire.queue, `${path}.queue`, violations);
  if (wire.fairnessKey) checkText(wire.fairnessKey, MAX_KEY, `${path}.fairness_key`, violations);
  if (wire.tracestate) checkText(wire.tracestate, 512, `${path}.tracestate`, violations);
  const own = wire.traceparent ? traceFrom(wire.traceparent, wire.tracestate) : defaults.trace;
  const trace = own.traceparent ? own : defaults.trace;
  const times = timesFrom(wire, path, violations);
  return {
    definition: wire.definition,
    definitionVersion: wire.definitionVersion,
    input: payloadFrom(wire.input, defaults.maxPayload, `${path}.input`, violations),
    idempotencyKey: wire.idempotencyKey,
    conflictPolicy: conflictPolicy ?? 'USE_EXISTING',
    labels: wire.labels,
    priority: wire.priority,
    runTimeUs: times.runTimeUs,
    delayMs: times.delayMs,
    expireTimeUs: times.expireTimeUs,
    softDeadline: softDeadlineFrom(wire.softDeadline, `${path}.soft_deadline`, violations),
    queue: wire.queue,
    fairnessKey: wire.fairnessKey || undefined,
    retryPolicy: retryPolicyFrom(wire.retryPolicy, `${path}.retry_policy`, violations),
    runTimeoutMs: durationMs(wire.runTimeout, 1, THIRTY_DAYS_MS, `${path}.run_timeout`, violations),
    demands: demandsFrom(wire.demands, `${path}.demands`, violations),
    dependencies: dependenciesFrom(wire.dependsOn, `${path}.depends_on`, violations),
    sticky: stickyFrom(wire.sticky, `${path}.sticky`, violations),
    traceparent: trace.traceparent,
    tracestate: trace.tracestate,
  };
}

function timesFrom(
  wire: JobSubmission,
  path: string,
  violations: Violations,
): Pick<Submission, 'runTimeUs' | 'delayMs' | 'expireTimeUs'> {
  const runTimeUs =
    wire.start.case === 'runTime' ? timestampUs(wire.start.value, `${path}.run_time`, violations) : undefined;
  const delayMs =
    wire.start.case === 'delay'
      ? durationMs(wire.start.value, 0, TEN_YEARS_MS, `${path}.delay`, violations)
      : undefined;
  const expireTimeUs = timestampUs(wire.expireTime, `${path}.expire_time`, violations);
  violations.check(
    runTimeUs === undefined || expireTimeUs === undefined || runTimeUs <= expireTimeUs,
    `${path}.run_time`,
    'is later than expire_time: the job could never run',
  );
  return { runTimeUs, delayMs, expireTimeUs };
}

/** Maximum size of the attempts in one answer; with input and outcome it stays below the maximum of a message. */
const MAX_ATTEMPTS_BYTES = 2 << 20;

function bytesOf(failure: Failure | undefined): number {
  if (!failure) return 0;
  const text = failure.type + failure.message + failure.stackTrace;
  return Buffer.byteLength(text) + (failure.details?.data.length ?? 0) + bytesOf(failure.cause);
}

/** The last attempt, and as many before it as fit: failures can be long and many. */
function newestFitting(views: readonly AttemptView[]): AttemptView[] {
  let bytes = 0;
  const older = views.toReversed().findIndex((view, i) => {
    bytes += bytesOf(view.failure);
    return i > 0 && bytes > MAX_ATTEMPTS_BYTES;
  });
  return older < 0 ? [...views] : views.slice(views.length - older);
}

function attemptTo(view: AttemptView): Attempt {
  return create(AttemptSchema, {
    attempt: view.attempt,
    sessionId: view.sessionId,
    workerName: view.workerName,
    outcome: view.outcome ? attemptOutcomes[view.outcome] : 0,
    counted: view.counted,
    ...defined('assignTime', timestampTo(view.assignTimeUs)),
    ...defined('endTime', timestampTo(view.endTimeUs)),
    ...defined('failure', view.failure && failureTo(view.failure)),
    ...defined('lateReport', view.late && lateReportTo(view.late)),
  });
}

function lateReportTo({ outcome, timeUs }: NonNullable<AttemptView['late']>): LateReport {
  return create(LateReportSchema, {
    outcome: attemptOutcomes[outcome],
    ...defined('reportTime', timestampTo(timeUs)),
  });
}

/** `{ key: value }`, or an empty object if the value is undefined: protobuf-es accepts no undefined. */
function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

export function jobTo(view: JobView): Job {
  return create(JobSchema, {
    jobId: view.jobId,
    namespace: view.namespace,
    definition: view.definition,
    definitionVersion: view.definitionVersion,
    queue: view.queue,
    state: stateCodes[view.state],
    stateReason: view.reason,
    skipReason: view.skipReason ? skipReasons[view.skipReason] : 0,
    waitReason: view.waitReason ? waitReasons[view.waitReason] : 0,
    priority: view.priority,
    labels: { ...view.labels },
    input: payloadTo(view.input),
    ...defined('progress', view.progress && progressTo(view.progress, view)),
    attempt: view.attempt,
    attemptCount: view.attemptCount,
    ...defined('createTime', timestampTo(view.createTimeUs)),
    ...defined('runTime', timestampTo(view.runTimeUs)),
    ...defined('expireTime', timestampTo(view.expireTimeUs)),
    ...defined('assignTime', timestampTo(view.assignTimeUs)),
    ...defined('endTime', timestampTo(view.endTimeUs)),
    ...defined('suspendTime', timestampTo(view.suspendTimeUs)),
    ...defined('softDeadlineTime', timestampTo(view.softDeadlineUs)),
    ...defined('softDeadlineMissTime', timestampTo(view.softDeadlineMissUs)),
    outcome: outcomeTo(view),
    ...defined('cancellation', cancellationTo(view)),
    sessionId: view.endTimeUs === undefined ? (view.sessionId ?? '') : '',
    idempotencyKey: view.idempotencyKey,
    retryOf: view.retryOf ?? '',
    parentJobId: view.parentJobId ?? '',
    fairnessKey: view.fairnessKey,
    limitKey: view.limitKey,
    traceparent: view.traceparent,
    revision: BigInt(view.revision),
    erased: view.erased,
    exhausted: view.exhausted,
    cleanupJobId: view.cleanupJobId ?? '',
    attempts: newestFitting(view.attempts).map(attemptTo),
  });
}

function cancellationTo({ cancellation, cleanupJobId = '' }: JobView): Cancellation | undefined {
  if (!cancellation) return undefined;
  const { stage, reason, requestTimeUs } = cancellation;
  const requestTime = defined('requestTime', timestampTo(requestTimeUs));
  return create(CancellationSchema, { stage: cancelStages[stage], reason, ...requestTime, cleanupJobId });
}

function outcomeTo(view: JobView): Job['outcome'] {
  if (view.result) return { case: 'result', value: payloadTo(view.result) };
  if (view.failure) return { case: 'failure', value: failureTo(view.failure) };
  return { case: undefined };
}
