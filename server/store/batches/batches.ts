/** Rows of batches: insert, read, seal, count. */

import type { BatchProgress, FailurePolicy } from '../../domain/batches/batch.ts';
import { type BatchRetry, sumOf } from '../../domain/batches/batch-retry.ts';
import { inboxKinds } from '../../domain/jobs/inbox.ts';
import type { BatchSpec, BatchStore, StoredBatch, WrittenBatch } from '../../engine/ports/batches.ts';
import type { ScheduledJob } from '../../engine/ports/schedules.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { jsonOrNull } from '../base/json.ts';
import { sameKey } from '../base/same-key.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowOf, RowType } from '../driver/row-types.ts';
import { addMembers, lockForMembers, readBatchJob } from './batch-members.ts';
import { batchRetryStore, retryOf, retryRowType, writePage } from './batch-retries.ts';
import { stopReasonCodes, stopReasonOf } from './batch-stop-reasons.ts';

const ANY = -1;

const insertOne = {
  name: 'insert_batch',
  text: `
WITH counts AS (
  INSERT INTO batch_counts (job_id, succeeded, failed, cancelled, expired, skipped, rate) VALUES ($1, 0, 0, 0, 0, 0, '[]')
)
INSERT INTO batches (job_id, max_failed, description, callback, callback_input, callback_content_type, callback_input_metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7)`,
};

function maxFailedOf(policy: FailurePolicy): number | null {
  return policy === 'NONE' ? null : policy === 'ANY' ? ANY : policy;
}

function policyOf(maxFailed: number | null): FailurePolicy {
  return maxFailed === null ? 'NONE' : maxFailed === ANY ? 'ANY' : maxFailed;
}

async function insert(session: Session, jobId: string, { description, policy, callback }: BatchSpec): Promise<void> {
  const { input, ...job } = callback ?? {};
  await session.run(insertOne, [
    jobId,
    maxFailedOf(policy),
    description,
    callback ? JSON.stringify(job) : null,
    input?.data ?? null,
    input?.contentType ?? null,
    jsonOrNull(input?.metadata),
  ]);
}

const batchRowType = {
  job_id: 'uuid',
  members: 'int4',
  seal_time: 'timestamptz?',
  stop_reason: 'int2',
  max_failed: 'int8?',
  description: 'text',
  callback: 'text?',
  callback_input: 'bytea?',
  callback_content_type: 'text?',
  callback_input_metadata: 'text?',
  callback_job_id: 'uuid?',
  callback_error: 'text?',
  ...retryRowType,
  retry_time: 'timestamptz?',
  retry_wait_message: 'text?',
} satisfies RowType;

const readOne = {
  name: 'read_batch',
  text: `
SELECT ${columnsOf(batchRowType, 'b')}, c.succeeded, c.failed, c.cancelled, c.expired, c.skipped, c.rate, (SELECT muster_now()) AS now
FROM batches b CROSS JOIN LATERAL (SELECT * FROM batch_counts WHERE batch_counts.job_id = b.job_id OFFSET 0) AS c
WHERE b.job_id = $1`,
  row: {
    ...batchRowType,
    succeeded: 'int4',
    failed: 'int4',
    cancelled: 'int4',
    expired: 'int4',
    skipped: 'int4',
    rate: 'text',
    now: 'timestamptz',
  },
} satisfies Statement;

function progressOf(row: RowOf<typeof readOne>, retry: BatchRetry | undefined): BatchProgress {
  const { succeeded, failed, cancelled, expired, skipped } = row;
  const ended = { succeeded, failed, cancelled, expired, skipped };
  const progress = {
    ended,
    rate: JSON.parse(row.rate),
    stopReason: stopReasonOf(row.stop_reason),
  };
  return retry ? { ...progress, skippedByReason: sumOf(retry.skippedByReason) } : progress;
}

function callbackOf(row: RowOf<typeof readOne>): ScheduledJob | undefined {
  if (row.callback === null) return undefined;
  const input = payloadOf(
    row.callback_input as Uint8Array,
    row.callback_content_type as string,
    row.callback_input_metadata,
  );
  return { ...JSON.parse(row.callback), input };
}

function batchOf(row: RowOf<typeof readOne>): StoredBatch {
  const retry = row.retry_of === null ? undefined : { ...retryOf(row), waitMessage: row.retry_wait_message ?? '' };
  return {
    members: row.members,
    sealTimeUs: row.seal_time ?? undefined,
    policy: policyOf(row.max_failed),
    description: row.description,
    callback: callbackOf(row),
    callbackJobId: row.callback_job_id ?? undefined,
    callbackError: row.callback_error ?? undefined,
    progress: progressOf(row, retry),
    retry,
    nowUs: row.now,
  };
}

// A batch that retries another one is sealed once the last of that one's members has been scanned, not here.
const sealOne = {
  name: 'seal_batch',
  text: `
WITH sealed AS (
  UPDATE batches SET seal_time = (SELECT muster_now()) WHERE job_id = $1 AND seal_time IS NULL AND stop_reason = ${stopReasonCodes.NO} AND retry_of IS NULL RETURNING job_id
),
audited AS (
  INSERT INTO audit_records (audit_id, record_time, action, namespace, job_id, reason)
  SELECT $2, (SELECT muster_now()), 'SEAL_BATCH', $3, job_id, '' FROM sealed
)
INSERT INTO job_inbox (subject_id, kind, entry_time) SELECT job_id, ${inboxKinds.SEALED}, (SELECT muster_now()) FROM sealed`,
};

const stopBatch = {
  name: 'stop_batch',
  text: 'UPDATE batches SET stop_reason = $2 WHERE job_id = $1 RETURNING members',
  row: { members: 'int4' },
} satisfies Statement;

const writeCounts = {
  name: 'write_batch_counts',
  text: `
UPDATE batch_counts c SET succeeded = i.succeeded, failed = i.failed, cancelled = i.cancelled, expired = i.expired,
                          skipped = i.skipped, rate = i.rate
FROM ${inputTable({ job_id: 'uuid', succeeded: 'int', failed: 'int', cancelled: 'int', expired: 'int', skipped: 'int', rate: 'text' }, 'i')}
WHERE ${sameKey('c.job_id', 'i.job_id')}`,
};

const writeCallbacks = {
  name: 'write_batch_callbacks',
  text: `
UPDATE batches b SET callback_job_id = i.callback_job_id, callback_error = i.problem
FROM ${inputTable({ job_id: 'uuid', callback_job_id: 'uuid', problem: 'text' }, 'i')} WHERE ${sameKey('b.job_id', 'i.job_id')}`,
};

async function writeProgress(session: Session, batches: readonly WrittenBatch[]): Promise<void> {
  if (batches.length === 0) return;
  const ended = batches.map(({ progress }) => progress.ended);
  await session.run(writeCounts, [
    batches.map(({ jobId }) => jobId),
    ended.map(({ succeeded }) => succeeded),
    ended.map(({ failed }) => failed),
    ended.map(({ cancelled }) => cancelled),
    ended.map(({ expired }) => expired),
    ended.map(({ skipped }) => skipped),
    batches.map(({ progress }) => JSON.stringify(progress.rate)),
  ]);
}

async function writeMade(session: Session, batches: readonly WrittenBatch[]): Promise<void> {
  const made = batches.flatMap(({ jobId, callback }) => (callback ? [{ jobId, callback }] : []));
  if (made.length === 0) return;
  await session.run(writeCallbacks, [
    made.map(({ jobId }) => jobId),
    made.map(({ callback }) => ('jobId' in callback ? callback.jobId : undefined)),
    made.map(({ callback }) => ('problem' in callback ? callback.problem : undefined)),
  ]);
}

export function batchStore(database: Database): BatchStore {
  return {
    ...batchRetryStore(database),
    insert: (jobId, spec) => insert(database, jobId, spec),
    read: async (jobId) => (await database.run(readOne, [jobId])).map(batchOf)[0],
    async seal(jobId, { auditId, namespace }) {
      await database.run(sealOne, [jobId, auditId, namespace]);
    },
    stopFor: async (jobId, why) => (await database.run(stopBatch, [jobId, stopReasonCodes[why]]))[0]?.members ?? 0,
    writeCounts: (batches) => writeProgress(database, batches),
    writeCallbacks: (batches) => writeMade(database, batches),
    lockForMembers: (jobId) => lockForMembers(database, jobId),
    readJob: (jobId) => readBatchJob(database, jobId),
    addMembers: (jobId, members) => addMembers(database, jobId, members),
    writePage: (jobId, retry, made) => writePage(database, jobId, retry, made),
  };
}
