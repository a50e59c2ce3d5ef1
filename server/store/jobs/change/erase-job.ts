/** Erases the personal data of an ended job. */
import { stateOf } from '../../../domain/jobs/job-state.ts';
import type { ErasedData, JobEnd, LockedRecord } from '../../../engine/ports/jobs.ts';
import { failureOf, failureText } from '../../base/failure-text.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf } from '../../driver/row-types.ts';

// The record is locked first, so that the second of two callers sees the first one's erasure.
const lockRecord = {
  name: 'lock_record',
  text: `
SELECT j.idempotency_key, j.erase_audit_id, (SELECT namespace FROM lanes WHERE lanes.lane_id = j.lane_id) AS namespace
FROM jobs j WHERE j.job_id = $1 FOR UPDATE OF j`,
  row: { idempotency_key: 'text?', erase_audit_id: 'uuid?', namespace: 'text' },
} satisfies Statement;

const readEnd = {
  name: 'read_end',
  text: `
SELECT (SELECT state FROM job_runs WHERE job_id = $1) AS open_state, o.state, o.failure, o.cleanup_job_id
FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT state, failure, cleanup_job_id FROM job_outcomes WHERE job_id = $1 OFFSET 0) AS o ON true`,
  row: { open_state: 'int2?', state: 'int2?', failure: 'text?', cleanup_job_id: 'uuid?' },
} satisfies Statement;

// An outcome keeps what its CHECKs require: an empty result, or a failure with nothing but its cause. One audit record,
// of the job that the caller named, covers its clean-up too.
const erase = {
  name: 'erase_job',
  text: `
WITH record AS (
  UPDATE jobs SET input = '', input_content_type = '', input_metadata = NULL, labels = NULL, idempotency_key = NULL,
                  tracestate = NULL, fairness_key = NULL, limit_key = NULL, erase_audit_id = $2
  WHERE job_id = $1
),
outcome AS (
  UPDATE job_outcomes SET result = CASE WHEN result IS NOT NULL THEN ''::bytea END, result_content_type = CASE WHEN result IS NOT NULL THEN '' END,
                          result_metadata = NULL, failure = $3, reason = NULL, progress_fraction = NULL,
                          progress_message = NULL, progress_counts = NULL, cancel_reason = NULL, revision = revision + 1
  WHERE job_id = $1
),
attempts AS (UPDATE job_attempts SET failure = NULL WHERE job_id = $1),
workflow AS (UPDATE workflow_runs SET failure = NULL, not_undone = NULL WHERE job_id = $1),
batch AS (
  UPDATE batches SET description = '', callback = NULL, callback_input = NULL, callback_content_type = NULL,
                     callback_input_metadata = NULL, callback_error = NULL
  WHERE job_id = $1
),
steps AS (UPDATE workflow_steps SET reason = NULL, skip_reason = NULL WHERE job_id = $1),
cached AS (DELETE FROM step_cache WHERE job_id = $1),
compensations AS (UPDATE step_compensations SET reason = NULL WHERE job_id = $1),
logs AS (DELETE FROM attempt_logs WHERE job_id = $1),
checkpoint AS (DELETE FROM job_checkpoints WHERE job_id = $1),
key AS (DELETE FROM idempotency_keys WHERE namespace = $4 AND idempotency_key = $5 AND job_id = $1),
rule_key AS (DELETE FROM submission_keys WHERE job_id = $1)
INSERT INTO audit_records (audit_id, record_time, action, namespace, job_id, reason)
VALUES ($2, (SELECT muster_now()), 'ERASE_JOB', $4, $1, $6)
ON CONFLICT (audit_id) DO NOTHING`,
};

export async function lockJobRecord(session: Session, jobId: string): Promise<LockedRecord | undefined> {
  const [row] = await session.run(lockRecord, [jobId]);
  if (!row) return undefined;
  return {
    namespace: row.namespace,
    idempotencyKey: row.idempotency_key ?? undefined,
    eraseAuditId: row.erase_audit_id ?? undefined,
  };
}

export async function readJobEnd(session: Session, jobId: string): Promise<JobEnd> {
  const [row] = (await session.run(readEnd, [jobId])) as [RowOf<typeof readEnd>];
  return {
    openState: row.open_state === null ? undefined : stateOf(row.open_state),
    state: row.state === null ? undefined : stateOf(row.state),
    failure: row.failure === null ? undefined : failureOf(row.failure),
    cleanupJobId: row.cleanup_job_id ?? undefined,
  };
}

export async function eraseData(session: Session, data: ErasedData): Promise<void> {
  const { jobId, auditId, failure, namespace, idempotencyKey, reason } = data;
  await session.run(erase, [
    jobId,
    auditId,
    failure ? failureText(failure) : null,
    namespace,
    idempotencyKey ?? null,
    reason,
  ]);
}
