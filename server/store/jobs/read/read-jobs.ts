/** Jobs as the API shows them, and how attempts were closed. */

import type { Failure, FailureCause } from '../../../domain/base/payload.ts';
import { reasonOfState, type WaitReason } from '../../../domain/explain/wait-reasons.ts';
import { type CancelStage, cancelStages } from '../../../domain/jobs/cancel-stage.ts';
import { isSuspended } from '../../../domain/jobs/decide.ts';
import { stateCodes, stateOf } from '../../../domain/jobs/job-state.ts';
import { isSuspect } from '../../../domain/jobs/losses.ts';
import { type AttemptOutcome, attemptOutcomes, type SkipReason, skipReasons } from '../../../domain/jobs/run.ts';
import { reported } from '../../../domain/retries/circuit-breaker.ts';
import type { AttemptKey, ClosedRecord } from '../../../engine/ports/attempts.ts';
import type { AttemptView, JobName, JobRecord, JobView, ListedJob } from '../../../engine/ports/jobs.ts';
import { columnsOf } from '../../base/columns.ts';
import { failureOf } from '../../base/failure-text.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import { payloadOf } from '../../dispatch/claim-jobs.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf, RowType, RowWith } from '../../driver/row-types.ts';
import { progressOf } from '../../sessions/progress-row.ts';

/** Columns of `jobs`, all but the input. */
export const recordColumns = `job_id, lane_id, priority, labels, input_content_type, input_metadata, idempotency_key, traceparent,
       parent_job_id, retry_of, create_time, run_time, expire_time, erase_audit_id, fairness_key, limit_key, soft_deadline`;

/** Columns for `listedJob`: record `j`, lane `n`, run `r`, outcome `o`. Input, result and worker are added to them. */
export const viewColumns = `
       j.*, coalesce(r.lane_id, j.lane_id) AS run_lane_id, n.namespace, n.queue, n.definition, n.definition_version, n.gates, n.demands <> '' AS has_demands, r.consecutive_losses, coalesce(o.state, r.state) AS state, coalesce(o.revision, r.revision) AS revision,
       coalesce(o.attempt, r.attempt) AS attempt, coalesce(o.attempt_count, r.attempt_count) AS attempt_count,
       coalesce(o.session_id, r.session_id) AS session_id, coalesce(o.assign_time, r.assign_time) AS assign_time,
       coalesce(o.progress_fraction, r.progress_fraction) AS progress_fraction,
       coalesce(o.progress_message, r.progress_message) AS progress_message,
       coalesce(o.progress_counts, r.progress_counts) AS progress_counts, coalesce(o.reason, r.reason) AS reason,
       CASE r.state WHEN ${stateCodes.SCHEDULED} THEN r.due_time WHEN ${stateCodes.PAUSED} THEN coalesce(r.run_time, j.run_time)
            ELSE j.run_time END AS next_time,
       o.end_time, o.skip_reason, o.result_content_type, o.result_metadata, o.failure,
       coalesce(o.cancel_stage, CASE WHEN r.state = ${stateCodes.CANCELLING} THEN ${cancelStages.REQUESTED} END) AS cancel_stage,
       coalesce(o.cancel_time, r.cancel_time) AS cancel_time, coalesce(o.cancel_reason, r.reason) AS cancel_reason, o.cleanup_job_id,
       CASE WHEN r.state <> ${stateCodes.CANCELLING} THEN r.suspend_until END AS suspend_until, r.exhausted`;

export const viewRowType = {
  job_id: 'uuid',
  lane_id: 'int4',
  priority: 'int2',
  labels: 'jsonb?',
  input_content_type: 'text',
  input_metadata: 'text?',
  idempotency_key: 'text?',
  traceparent: 'text?',
  parent_job_id: 'uuid?',
  retry_of: 'uuid?',
  create_time: 'timestamptz',
  run_time: 'timestamptz?',
  expire_time: 'timestamptz?',
  erase_audit_id: 'uuid?',
  fairness_key: 'text?',
  limit_key: 'text?',
  soft_deadline: 'timestamptz?',
  input: 'bytea',
  run_lane_id: 'int4',
  namespace: 'text',
  queue: 'text',
  definition: 'text',
  definition_version: 'int4',
  gates: 'int2',
  has_demands: 'bool',
  consecutive_losses: 'int2?',
  state: 'int2',
  revision: 'int4',
  attempt: 'int4',
  attempt_count: 'int4',
  session_id: 'uuid?',
  assign_time: 'timestamptz?',
  progress_fraction: 'float8?',
  progress_message: 'text?',
  progress_counts: 'jsonb?',
  reason: 'text?',
  next_time: 'timestamptz?',
  end_time: 'timestamptz?',
  skip_reason: 'int2?',
  result_content_type: 'text?',
  result_metadata: 'text?',
  failure: 'text?',
  cancel_stage: 'int4?',
  cancel_time: 'timestamptz?',
  cancel_reason: 'text?',
  cleanup_job_id: 'uuid?',
  suspend_until: 'timestamptz?',
  exhausted: 'bool?',
  result: 'bytea?',
} satisfies RowType;

export type ViewRow = RowWith<typeof viewRowType>;

/** A row that can show its last attempt too. */
type JobRow = ViewRow & RowWith<{ worker_name: 'text?' }>;

const readMany = {
  name: 'read_jobs',
  text: `
SELECT ${viewColumns}, o.result, s.worker_name
FROM unnest($1::uuid[], $2::text[]) AS i (job_id, namespace)
CROSS JOIN LATERAL (SELECT ${recordColumns}, input FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j
JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'j.job_id')}
LEFT JOIN job_outcomes o ON ${sameKey('o.job_id', 'j.job_id')}
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'coalesce(o.session_id, r.session_id)')}
WHERE n.namespace IS NOT DISTINCT FROM i.namespace`,
  row: { ...viewRowType, worker_name: 'text?' },
} satisfies Statement;

const attemptRowType = {
  job_id: 'uuid',
  attempt: 'int4',
  session_id: 'uuid',
  outcome: 'int2',
  counted: 'bool',
  assign_time: 'timestamptz',
  end_time: 'timestamptz',
  failure: 'text?',
  exhausted: 'bool?',
} satisfies RowType;

const readAttempts = {
  name: 'read_attempts',
  text: `
SELECT ${columnsOf(attemptRowType, 'a')}, s.worker_name FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (
  SELECT * FROM job_attempts WHERE job_attempts.job_id = i.job_id ORDER BY attempt DESC LIMIT 99
) AS a
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'a.session_id')}
ORDER BY a.job_id, a.attempt`,
  row: { ...attemptRowType, worker_name: 'text?' },
} satisfies Statement;

const readClosedMany = {
  name: 'read_closed_attempts',
  text: `
WITH i AS MATERIALIZED (SELECT * FROM ${inputTable({ job_id: 'uuid', attempt: 'int', session_id: 'uuid' }, 'i')})
SELECT o.job_id, o.attempt, o.session_id, o.state, NULL::smallint AS outcome, o.result, o.result_content_type,
       o.result_metadata, o.failure, o.cancel_stage
FROM i CROSS JOIN LATERAL (
  SELECT * FROM job_outcomes WHERE job_outcomes.job_id = i.job_id AND job_outcomes.attempt = i.attempt
    AND job_outcomes.session_id = i.session_id OFFSET 0
) AS o
UNION ALL
SELECT a.job_id, a.attempt, a.session_id, NULL, a.outcome, NULL, NULL, NULL, a.failure, NULL
FROM i JOIN job_attempts a ON ${sameKey('a.job_id', 'i.job_id')} AND a.attempt = i.attempt AND a.session_id = i.session_id`,
  row: {
    job_id: 'uuid',
    attempt: 'int4',
    session_id: 'uuid',
    state: 'int2?',
    outcome: 'int2?',
    result: 'bytea?',
    result_content_type: 'text?',
    result_metadata: 'text?',
    failure: 'text?',
    cancel_stage: 'int2?',
  },
} satisfies Statement;

const stageNames = new Map<number | null, CancelStage>(
  Object.entries(cancelStages).map(([name, code]) => [code, name as CancelStage]),
);

const skipNames = new Map<number | null, SkipReason>(
  Object.entries(skipReasons).map(([name, code]) => [code, name as SkipReason]),
);

const outcomeNames = new Map<number | null, AttemptOutcome>(
  Object.entries(attemptOutcomes).map(([name, code]) => [code, name as AttemptOutcome]),
);

function attemptView(row: RowOf<typeof readAttempts>): AttemptView {
  return {
    attempt: row.attempt,
    sessionId: row.session_id,
    workerName: row.worker_name ?? '',
    outcome: outcomeNames.get(row.outcome),
    counted: row.counted,
    assignTimeUs: row.assign_time,
    endTimeUs: row.end_time,
    failure: row.failure === null ? undefined : failureOf(row.failure),
    exhausted: row.exhausted === true,
  };
}

const lastOutcomes: Partial<Record<number, AttemptOutcome>> = {
  [stateCodes.SUCCEEDED]: 'SUCCEEDED',
  [stateCodes.FAILED]: 'FAILED',
  [stateCodes.CANCELLED]: 'CANCELLED',
};

/** How the last attempt of a FAILED job was closed. */
const outcomesByCause: Partial<Record<FailureCause, AttemptOutcome>> = {
  TIMEOUT: 'TIMED_OUT',
  LOST_WORKER: 'LAPSED',
  POISON: 'LAPSED',
  LEASE_LOST: 'ABORTED',
  SESSION_CLOSED: 'SESSION_CLOSED',
};

/**
 * The outcome row says how the job ended. The outcome of its last attempt is in the failure, or in the failure's cause.
 */
function lastOutcome(state: number, failure: Failure | undefined): AttemptOutcome | undefined {
  if (state !== stateCodes.FAILED || !failure) return lastOutcomes[state];
  // Only releases have no cause.
  if (failure.failureCause === 'LOST_TOO_OFTEN' && !failure.cause) return 'RELEASED';
  const last = failure.failureCause === 'LOST_TOO_OFTEN' ? (failure.cause ?? failure) : failure;
  return outcomesByCause[last.failureCause] ?? 'FAILED';
}

function lastAttempt(row: JobRow): AttemptView | undefined {
  if (row.session_id === null) return undefined;
  const failure = row.failure === null ? undefined : failureOf(row.failure);
  const outcome = lastOutcome(row.state, failure);
  return {
    attempt: row.attempt,
    sessionId: row.session_id,
    workerName: row.worker_name ?? '',
    outcome,
    counted: outcome !== undefined && outcome !== 'CANCELLED' && outcome !== 'RELEASED',
    assignTimeUs: row.assign_time ?? undefined,
    endTimeUs: row.end_time ?? undefined,
    failure,
    exhausted: false,
  };
}

function cancellationOf(row: ViewRow): JobView['cancellation'] {
  const stage = stageNames.get(row.cancel_stage);
  if (!stage) return undefined;
  return {
    stage,
    reason: row.cancel_reason ?? '',
    requestTimeUs: row.cancel_time ?? undefined,
  };
}

/** By its state, or since it waits for its children, or is a suspect. */
function waitReasonOf(row: ViewRow): WaitReason | undefined {
  const state = stateOf(row.state);
  if (isSuspended({ state, attempt: row.attempt })) return 'DEPENDENCY';
  return state === 'READY' && isSuspect({ consecutiveLosses: row.consecutive_losses as number })
    ? 'SUSPECT'
    : reasonOfState(state, row.reason);
}

function jobView(row: ViewRow): JobView {
  return {
    jobId: row.job_id,
    namespace: row.namespace,
    definition: row.definition,
    definitionVersion: row.definition_version,
    queue: row.queue,
    state: stateOf(row.state),
    reason: row.reason ?? '',
    skipReason: skipNames.get(row.skip_reason),
    waitReason: waitReasonOf(row),
    priority: row.priority,
    labels: (row.labels ?? {}) as Record<string, string>,
    input: payloadOf(row.input, row.input_content_type, row.input_metadata),
    progress: progressOf(row),
    attempt: row.attempt,
    attemptCount: row.attempt_count,
    createTimeUs: row.create_time,
    runTimeUs: row.next_time ?? undefined,
    expireTimeUs: row.expire_time ?? undefined,
    assignTimeUs: row.assign_time ?? undefined,
    suspendTimeUs: row.suspend_until ?? undefined,
    softDeadlineUs: row.soft_deadline ?? undefined,
    endTimeUs: row.end_time ?? undefined,
    cancellation: cancellationOf(row),
    cleanupJobId: row.cleanup_job_id ?? undefined,
    result:
      row.result === null ? undefined : payloadOf(row.result, row.result_content_type as string, row.result_metadata),
    failure: row.failure === null ? undefined : failureOf(row.failure),
    sessionId: row.session_id ?? undefined,
    idempotencyKey: row.idempotency_key ?? '',
    retryOf: row.retry_of ?? undefined,
    parentJobId: row.parent_job_id ?? undefined,
    fairnessKey: row.fairness_key ?? '',
    limitKey: row.limit_key ?? '',
    traceparent: row.traceparent ?? '',
    revision: row.revision,
    erased: row.erase_audit_id !== null,
    exhausted: row.exhausted === true,
    attempts: [],
  };
}

export function listedJob(row: ViewRow): ListedJob {
  const mayBeGated = row.state === stateCodes.READY && (row.gates !== 0 || row.has_demands);
  return { view: jobView(row), laneId: row.run_lane_id, mayBeGated };
}

export function jobRecord(row: JobRow): JobRecord {
  return { ...listedJob(row), last: lastAttempt(row) };
}

export async function readJobRecords(session: Session, names: readonly JobName[]): Promise<JobRecord[]> {
  const rows = await session.run(readMany, [names.map((name) => name.jobId), names.map((name) => name.namespace)]);
  return rows.map(jobRecord);
}

export async function readClosedAttempts(
  session: Session,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, AttemptView[]>> {
  const rows = Map.groupBy(await session.run(readAttempts, [jobIds]), (row) => row.job_id);
  return new Map(Array.from(rows, ([jobId, ofJob]) => [jobId, ofJob.map(attemptView)]));
}

type ClosedRow = RowOf<typeof readClosedMany>;

function outcomeOf(row: ClosedRow): ClosedRecord['outcome'] {
  const name = row.state === null ? outcomeNames.get(row.outcome) : lastOutcomes[row.state];
  // A worker reports a run timeout that it enforced as a failure.
  if (name === 'TIMED_OUT') return 'FAILED';
  return name === 'SUCCEEDED' || name === 'FAILED' || name === 'CANCELLED' || name === 'SUSPENDED' ? name : 'OTHER';
}

/** How the worker itself returned the attempt, if it did. */
function givenBackOf(row: ClosedRow): ClosedRecord['givenBack'] {
  if (row.cancel_stage === cancelStages.STOPPED) return 'STOPPED';
  const failure = row.failure === null ? undefined : failureOf(row.failure);
  const name = row.state === null ? outcomeNames.get(row.outcome) : lastOutcome(row.state, reported(failure));
  return name === 'RELEASED' || name === 'ABORTED' ? name : undefined;
}

export async function readClosed(session: Session, attempts: readonly AttemptKey[]): Promise<ClosedRecord[]> {
  const rows = await session.run(readClosedMany, [
    attempts.map((key) => key.jobId),
    attempts.map((key) => key.attempt),
    attempts.map((key) => key.sessionId),
  ]);
  return rows.map((row) => ({
    jobId: row.job_id,
    attempt: row.attempt,
    sessionId: row.session_id,
    outcome: outcomeOf(row),
    givenBack: givenBackOf(row),
    result:
      row.result === null ? undefined : payloadOf(row.result, row.result_content_type as string, row.result_metadata),
    failure: row.failure ?? undefined,
  }));
}
