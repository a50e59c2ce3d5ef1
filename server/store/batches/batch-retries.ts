/** Batches that retry others: the batch they retry, its failed members, and the progress. */
import type { BatchRetry } from '../../domain/batches/batch-retry.ts';
import { inboxKinds } from '../../domain/jobs/inbox.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { BatchRetryStore, FailedCount, FillingBatch } from '../../engine/ports/batches.ts';
import { isLeft } from '../base/times.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { Filled, RowType, RowWith } from '../driver/row-types.ts';
import { stopReasonCodes } from './batch-stop-reasons.ts';

/** Bounds per page: members scanned, new members made, and bytes of their inputs. */
const MAX_SCANNED = 5_000;
const MAX_MEMBERS = 1_000;
const MAX_BYTES = 8 << 20;

/** Matches the condition of the partial index of filling batches. */
const isFilling = `retry_of IS NOT NULL AND seal_time IS NULL AND stop_reason = ${stopReasonCodes.NO}`;
/**
 * The same condition in a form that the partial index does not match: the planner then looks a batch up by its key,
 * even where it expects few filling batches.
 */
const takesMore = `retry_next_item IS NOT NULL AND seal_time IS NULL AND stop_reason = ${stopReasonCodes.NO}`;

/** The columns of `batches` that `retryOf` reads. */
export const retryColumns =
  'retry_of, retry_members, retry_failed, retry_next_item, retried_before_count, skipped_by_reason';

export const retryRowType = {
  retry_of: 'uuid?',
  retry_members: 'int4?',
  retry_failed: 'int4?',
  retry_next_item: 'int4?',
  retried_before_count: 'int4?',
  skipped_by_reason: 'text?',
} satisfies RowType;

/** Reads the retry from a row of a batch that has one. */
export function retryOf(nullable: RowWith<typeof retryRowType>): BatchRetry {
  const row = nullable as Filled<typeof nullable>;
  return {
    batchJobId: row.retry_of,
    members: row.retry_members,
    failed: row.retry_failed,
    nextItem: row.retry_next_item,
    retriedBeforeCount: row.retried_before_count,
    skippedByReason: JSON.parse(row.skipped_by_reason),
  };
}

const lockOne = {
  name: 'lock_retried_batch',
  text: 'SELECT FROM batches WHERE job_id = $1 FOR NO KEY UPDATE',
};

const findRetry = {
  name: 'find_retry_of_batch',
  text: `SELECT job_id FROM batches WHERE retry_of = $1 AND (seal_time IS NOT NULL OR stop_reason = ${stopReasonCodes.NO})`,
  row: { job_id: 'uuid' },
} satisfies Statement;

const insertOne = {
  name: 'insert_batch_retry',
  text: `
UPDATE batches SET retry_of = $2, retry_members = $3, retry_failed = $4, retry_next_item = 0, retried_before_count = 0,
                   skipped_by_reason = '{}', retry_time = (SELECT muster_now())
WHERE job_id = $1`,
};

const readOne = {
  name: 'read_filling_batch',
  text: `
SELECT b.*, l.namespace, extract(epoch FROM (SELECT muster_now()) - b.retry_time)::double precision * 1000 AS idle_ms
FROM (SELECT job_id, members, ${retryColumns}, retry_time FROM batches WHERE job_id = $1 AND ${takesMore}) AS b
CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = b.job_id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT namespace FROM lanes WHERE lanes.lane_id = j.lane_id OFFSET 0) AS l`,
  row: {
    job_id: 'uuid',
    members: 'int4',
    ...retryRowType,
    retry_time: 'timestamptz?',
    namespace: 'text',
    idle_ms: 'float8',
  },
} satisfies Statement;

async function readFilling(session: Session, jobId: string): Promise<FillingBatch | undefined> {
  const [row] = await session.run(readOne, [jobId]);
  return row && { namespace: row.namespace, retry: retryOf(row), made: row.members, idleMs: row.idle_ms };
}

// The length of an input is known without a read of the input.
const readSome = {
  name: 'read_failed_members',
  text: `
SELECT m.job_id, m.item, m.bytes
FROM (
  SELECT job_id, item, octet_length(input) AS bytes FROM jobs
  WHERE parent_job_id = $1 AND step = 0 AND item >= $2 AND item < $3 ORDER BY parent_job_id, step, item OFFSET 0
) AS m
CROSS JOIN LATERAL (SELECT state FROM job_outcomes WHERE job_outcomes.job_id = m.job_id OFFSET 0) AS o
WHERE o.state IN (${stateCodes.FAILED}, ${stateCodes.CANCELLED}, ${stateCodes.EXPIRED})
ORDER BY m.item LIMIT ${MAX_MEMBERS + 1}`,
  row: { job_id: 'uuid', item: 'int4', bytes: 'int4' },
} satisfies Statement;

async function readFailed(session: Session, { batchJobId, nextItem, members }: BatchRetry): Promise<FailedCount> {
  const end = Math.min(members, nextItem + MAX_SCANNED);
  const rows = await session.run(readSome, [batchJobId, nextItem, end]);
  let bytes = 0;
  const tooMany = rows.findIndex((row, i) => {
    bytes += row.bytes;
    // A member that exceeds the byte bound by itself gets a page of its own.
    return i === MAX_MEMBERS || (i > 0 && bytes > MAX_BYTES);
  });
  const taken = tooMany < 0 ? rows : rows.slice(0, tooMany);
  return {
    members: taken.map((row) => ({ jobId: row.job_id, item: row.item })),
    nextItem: rows[tooMany]?.item ?? end,
  };
}

const writeOne = {
  name: 'write_batch_retry',
  text: `
UPDATE batches SET members = members + $2, retry_next_item = $3, retried_before_count = $4, skipped_by_reason = $5,
                   retry_time = (SELECT muster_now()), retry_wait_message = NULL
WHERE job_id = $1`,
};

/** The caller has locked the batch. `made`: the number of new members. */
export async function writePage(session: Session, jobId: string, retry: BatchRetry, made: number): Promise<void> {
  const { nextItem, retriedBeforeCount, skippedByReason } = retry;
  await session.run(writeOne, [jobId, made, nextItem, retriedBeforeCount, JSON.stringify(skippedByReason)]);
}

const lockFilling = {
  name: 'lock_filling_batch',
  text: `SELECT ${retryColumns} FROM batches WHERE job_id = $1 AND ${takesMore} FOR NO KEY UPDATE`,
  row: retryRowType,
} satisfies Statement;

const delayOne = {
  name: 'delay_batch_retry',
  text: 'UPDATE batches SET retry_wait_message = $2 WHERE job_id = $1 AND retry_wait_message IS DISTINCT FROM $2',
};

const endOne = {
  name: 'end_batch_retry',
  text: `
WITH sealed AS (
  UPDATE batches SET seal_time = (SELECT muster_now()), skipped_by_reason = $2
  WHERE job_id = $1 AND ${takesMore} AND retry_next_item = retry_members RETURNING job_id
)
INSERT INTO job_inbox (subject_id, kind, entry_time) SELECT job_id, ${inboxKinds.SEALED}, (SELECT muster_now()) FROM sealed`,
};

const findSome = {
  name: 'find_filling_batches',
  text: `
SELECT job_id FROM batches
WHERE ${isFilling} AND ${isLeft('retry_time', '$1')} ORDER BY retry_time LIMIT $2`,
  row: { job_id: 'uuid' },
} satisfies Statement;

export function batchRetryStore(database: Database): BatchRetryStore {
  return {
    async lockForRetry(jobId) {
      await database.run(lockOne, [jobId]);
    },
    findRetryOf: async (jobId) => (await database.run(findRetry, [jobId]))[0]?.job_id,
    async writeNewRetry(jobId, { batchJobId, members, failed }) {
      await database.run(insertOne, [jobId, batchJobId, members, failed]);
    },
    readFilling: (jobId) => readFilling(database, jobId),
    readFailed: (retry) => readFailed(database, retry),
    lockFilling: async (jobId) => (await database.run(lockFilling, [jobId])).map(retryOf)[0],
    async delayRetry(jobId, waitMessage) {
      await database.run(delayOne, [jobId, waitMessage]);
    },
    async endRetry(jobId, { skippedByReason }) {
      await database.run(endOne, [jobId, JSON.stringify(skippedByReason)]);
    },
    findFilling: async (idleMs, limit) => (await database.run(findSome, [idleMs, limit])).map((row) => row.job_id),
  };
}
