/** Audit records: manual actions that can't be undone, and their reasons. Kept permanently. */
import type { NewAuditRecord } from '../../domain/namespaces/audit.ts';
import type { AuditQuery, AuditRecord } from '../../engine/ports/namespaces.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

const columns = {
  audit_id: 'uuid',
  action: 'text',
  namespace: 'text',
  job_id: 'uuid',
  reason: 'text',
  subject: 'text',
};

const insertMany = {
  name: 'insert_audit_records',
  text: `
INSERT INTO audit_records (audit_id, record_time, action, namespace, job_id, reason, subject)
SELECT audit_id, (SELECT muster_now()), action, namespace, job_id, reason, subject FROM ${inputTable(columns, 'i')}`,
};

export async function insertAudits(session: Session, records: readonly NewAuditRecord[]): Promise<void> {
  if (records.length === 0) return;
  await session.run(insertMany, [
    records.map((record) => record.auditId),
    records.map((record) => record.action),
    records.map((record) => record.namespace),
    records.map((record) => record.jobId),
    records.map((record) => record.reason),
    records.map((record) => record.subject),
  ]);
}

const BEFORE = "coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')";

const recordRowType = {
  audit_id: 'uuid',
  record_time: 'timestamptz',
  action: 'text',
  namespace: 'text',
  job_id: 'uuid',
  reason: 'text',
  caller: 'text',
  subject: 'text',
} satisfies RowType;

const listAll = {
  name: 'list_audit_records',
  text: `
SELECT ${columnsOf(recordRowType)} FROM audit_records WHERE namespace = $1 AND audit_id < ${BEFORE}
ORDER BY namespace DESC, audit_id DESC LIMIT $3`,
  row: recordRowType,
} satisfies Statement;

// Filters by the job first: a job has few records.
const listOfJob = {
  name: 'list_audit_records_of_job',
  text: `
SELECT ${columnsOf(recordRowType)} FROM (SELECT * FROM audit_records WHERE job_id = $4 OFFSET 0) AS ofjob
WHERE namespace = $1 AND audit_id < ${BEFORE}
ORDER BY audit_id DESC LIMIT $3`,
  row: recordRowType,
} satisfies Statement;

export async function listAudit(session: Session, query: AuditQuery): Promise<AuditRecord[]> {
  const { namespace, jobId, beforeAuditId, limit } = query;
  const page = [namespace, beforeAuditId ?? null, limit];
  const rows = jobId === undefined ? await session.run(listAll, page) : await session.run(listOfJob, [...page, jobId]);
  return rows.map(recordOf);
}

function recordOf(row: RowWith<typeof recordRowType>): AuditRecord {
  return {
    auditId: row.audit_id,
    recordTimeUs: row.record_time,
    action: row.action as AuditRecord['action'],
    namespace: row.namespace,
    jobId: row.job_id,
    reason: row.reason,
    subject: row.subject,
  };
}
