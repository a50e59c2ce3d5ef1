/** Jobs that wait for signals: recorded when their wait begins, found by the signal, deleted when they end. */
import type { End } from '../../domain/jobs/run.ts';
import type { AwaitedSignal, Delivery, KeySource, NewSignalWait, Waiting } from '../../engine/ports/signals.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Session, Statement } from '../driver/database.ts';

const LOCK_SEED = 5_518_093;

// Sorted, so that two transactions that lock several keys wait for each other in one direction only. A separate
// statement: the next one sees what the previous holder of the lock has committed.
const lockMany = {
  name: 'lock_signal_keys',
  text: `
SELECT pg_advisory_xact_lock(lock) FROM (
  SELECT DISTINCT hashtextextended(signal_key_id::text, ${LOCK_SEED}) AS lock FROM unnest($1::uuid[]) AS i (signal_key_id) ORDER BY lock OFFSET 0
) AS locks`,
  row: { pg_advisory_xact_lock: 'void' },
} satisfies Statement;

export async function lockKeys(session: Session, signalKeyIds: readonly string[]): Promise<void> {
  await session.run(lockMany, [signalKeyIds]);
}

const readSources = {
  name: 'read_signal_key_sources',
  text: `
SELECT j.* FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (
  SELECT job_id, labels, input, input_content_type, input_metadata FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0
) AS j`,
  row: { job_id: 'uuid', labels: 'jsonb?', input: 'bytea', input_content_type: 'text', input_metadata: 'text?' },
} satisfies Statement;

export async function readKeySources(session: Session, jobIds: readonly string[]): Promise<KeySource[]> {
  const rows = await session.run(readSources, [jobIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    input: payloadOf(row.input, row.input_content_type, row.input_metadata),
    labels: (row.labels ?? {}) as Record<string, string>,
  }));
}

const waitColumns = { job_id: 'uuid', signal_key_id: 'uuid', name: 'text', key: 'text' };

const insertMany = {
  name: 'insert_signal_waits',
  text: `INSERT INTO signal_waits (job_id, signal_key_id, name, key) SELECT * FROM ${inputTable(waitColumns, 'i')}`,
};

export async function insertSignalWaits(session: Session, waits: readonly NewSignalWait[]): Promise<void> {
  if (waits.length === 0) return;
  await session.run(insertMany, [
    waits.map((wait) => wait.jobId),
    waits.map((wait) => wait.signalKeyId),
    waits.map((wait) => wait.name),
    waits.map((wait) => wait.key),
  ]);
}

const deleteMany = {
  name: 'delete_signal_waits',
  text: 'DELETE FROM signal_waits WHERE job_id = ANY($1::uuid[])',
};

/** Deletes the waits of the ended jobs that have waited. */
export async function leaveWaits(session: Session, ended: readonly End[]): Promise<void> {
  const jobIds = ended.filter(({ leavesWait }) => leavesWait).map(({ run }) => run.jobId);
  if (jobIds.length > 0) await session.run(deleteMany, [jobIds]);
}

// Compared as rows: only the index by key is sorted by them. For a LIMIT the primary key would be read from its start.
const readPage = {
  name: 'read_signal_waits_page',
  text: `
SELECT w.row_id, w.job_id, r.lane_id
FROM (
  SELECT row_id, job_id FROM signal_waits
  WHERE (signal_key_id, row_id) > ($1::uuid, $2::bigint) AND (signal_key_id, row_id) <= ($1::uuid, $3::bigint)
  ORDER BY signal_key_id, row_id LIMIT $4
) AS w
CROSS JOIN LATERAL (SELECT lane_id FROM job_runs r WHERE ${sameKey('r.job_id', 'w.job_id')} OFFSET 0) AS r
ORDER BY w.row_id`,
  row: { row_id: 'int8', job_id: 'uuid', lane_id: 'int4' },
} satisfies Statement;

/** Jobs that wait in a signal's range. */
export async function readWaiting(
  session: Session,
  { signalKeyId, after, upTo }: Delivery,
  limit: number,
): Promise<Waiting[]> {
  const rows = await session.run(readPage, [signalKeyId, after, upTo, limit]);
  return rows.map((row) => ({ rowId: row.row_id, jobId: row.job_id, laneId: row.lane_id }));
}

const readMany = {
  name: 'read_signal_waits',
  text: 'SELECT job_id, signal_key_id, name, key FROM signal_waits WHERE job_id = ANY($1::uuid[])',
  row: { job_id: 'uuid', signal_key_id: 'uuid', name: 'text', key: 'text' },
} satisfies Statement;

export async function readWaits(session: Session, jobIds: readonly string[]): Promise<Map<string, AwaitedSignal>> {
  const rows = await session.run(readMany, [jobIds]);
  return new Map(rows.map((row) => [row.job_id, { signalKeyId: row.signal_key_id, name: row.name, key: row.key }]));
}
