/**
 * Erases the personal data of an ended job, with the audit record of it, in one transaction. The job's clean-up has a
 * copy of its input, and is erased with it.
 */

import { systemFailure } from '../../../domain/base/payload.ts';
import { stateOf } from '../../../domain/jobs/job-state.ts';
import type { Erased, Erasure } from '../../../engine/ports/jobs.ts';
import { failureOf, failureText } from '../../base/failure-text.ts';
import type { Database, Session, Statement } from '../../driver/database.ts';
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
                          progress_message = NULL, cancel_reason = NULL, revision = revision + 1
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

type LockedJob = RowOf<typeof lockRecord> & RowOf<typeof readEnd> & { readonly job_id: string };

export async function eraseJob(database: Database, erasure: Erasure): Promise<Erased> {
  return database.transaction(async (session) => {
    const job = await lockJob(session, erasure.jobId);
    if (job?.namespace !== erasure.namespace) return { kind: 'missing' };
    if (job.state === null) return { kind: 'open', state: stateOf(job.open_state as number) };
    // Undefined also if it has been deleted: its retention may be shorter.
    const cleanup = job.cleanup_job_id === null ? undefined : await lockJob(session, job.cleanup_job_id);
    if (cleanup && cleanup.state === null)
      return { kind: 'open', state: stateOf(cleanup.open_state as number), cleanupJobId: cleanup.job_id };
    const auditId = job.erase_audit_id ?? erasure.auditId;
    for (const one of [job, cleanup]) if (one) await eraseOne(session, one, { ...erasure, auditId });
    return { kind: 'erased', auditId };
  });
}

async function lockJob(session: Session, jobId: string): Promise<LockedJob | undefined> {
  const [record] = await session.run(lockRecord, [jobId]);
  if (!record) return undefined;
  const [end] = (await session.run(readEnd, [jobId])) as [RowOf<typeof readEnd>];
  return { ...record, ...end, job_id: jobId };
}

/** Does nothing if the job was erased before. */
async function eraseOne(session: Session, job: LockedJob, { namespace, auditId, reason }: Erasure): Promise<void> {
  if (job.erase_audit_id !== null) return;
  const { job_id, failure, idempotency_key } = job;
  await session.run(erase, [job_id, auditId, erasedFailure(failure), namespace, idempotency_key, reason]);
}

function erasedFailure(text: string | null): string | null {
  if (text === null) return null;
  return failureText(systemFailure(failureOf(text).failureCause, 'Erased', 'erased on demand'));
}
