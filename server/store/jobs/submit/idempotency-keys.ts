/** Rows of idempotency keys. */
import type { IdempotencyKey, KeyOwners } from '../../../domain/jobs/idempotency-key.ts';
import type { PointedKey, SubmitCall } from '../../../engine/ports/submissions.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import type { Parameter, Session, Statement } from '../../driver/database.ts';

const keyColumns = { namespace: 'text', idempotency_key: 'text', job_id: 'uuid', content_hash: 'bytea' };

// Sorted, so that two flushes that share keys wait for each other in one direction only.
const insertKeys = {
  name: 'insert_idempotency_keys',
  text: `
INSERT INTO idempotency_keys (namespace, idempotency_key, job_id, content_hash, create_time)
SELECT namespace, idempotency_key, job_id, content_hash, (SELECT muster_now())
FROM ${inputTable(keyColumns, 'i')} ORDER BY namespace, idempotency_key
ON CONFLICT DO NOTHING`,
};

const sameName = `${sameKey('k.namespace', 'i.namespace')} AND ${sameKey('k.idempotency_key', 'i.idempotency_key')}`;

// Compares and sets: only from the job that the caller has cancelled. Locked in order, for the same reason as above.
const takeOverKeys = {
  name: 'take_over_idempotency_keys',
  text: `
WITH i AS MATERIALIZED (SELECT * FROM ${inputTable({ ...keyColumns, replaced_job_id: 'uuid' }, 'i')}),
held AS MATERIALIZED (
  SELECT i.* FROM i JOIN idempotency_keys k ON ${sameName} WHERE k.job_id = i.replaced_job_id
  ORDER BY i.namespace, i.idempotency_key FOR NO KEY UPDATE OF k
)
UPDATE idempotency_keys k SET job_id = i.job_id, content_hash = i.content_hash, create_time = (SELECT muster_now())
FROM held i WHERE ${sameName}`,
};

// A separate statement: only a new snapshot sees the rows that won against ours.
const readKeys = {
  name: 'read_idempotency_keys',
  text: `
SELECT k.namespace, k.idempotency_key, k.job_id, k.content_hash
FROM ${inputTable({ namespace: 'text', idempotency_key: 'text' }, 'i')} JOIN idempotency_keys k ON ${sameName}`,
  row: { namespace: 'text', idempotency_key: 'text', job_id: 'uuid', content_hash: 'bytea' },
} satisfies Statement;

const pointMany = {
  name: 'point_idempotency_keys',
  text: `
UPDATE idempotency_keys k SET job_id = i.job_id
FROM ${inputTable({ namespace: 'text', idempotency_key: 'text', job_id: 'uuid' }, 'i')} WHERE ${sameName}`,
};

/** The rows of the keys, as arrays. */
function rowsOf(call: SubmitCall, keys: readonly IdempotencyKey[]): Parameter[] {
  return [
    keys.map(() => call.namespace),
    keys.map((key) => key.key),
    keys.map((key) => call.jobs[key.index]?.jobId),
    keys.map((key) => key.contentHash),
  ];
}

export async function insertIdempotencyKeys(session: Session, call: SubmitCall): Promise<void> {
  await session.run(insertKeys, rowsOf(call, call.keys));
}

export async function takeOverIdempotencyKeys(session: Session, call: SubmitCall): Promise<void> {
  const replacing = call.keys.filter((key) => key.replacedJobId);
  await session.run(takeOverKeys, [...rowsOf(call, replacing), replacing.map((key) => key.replacedJobId)]);
}

export async function readKeyOwners(session: Session, namespace: string, keys: readonly string[]): Promise<KeyOwners> {
  const rows = await session.run(readKeys, [keys.map(() => namespace), keys]);
  return new Map(rows.map((row) => [row.idempotency_key, { jobId: row.job_id, contentHash: row.content_hash }]));
}

export async function pointIdempotencyKeys(
  session: Session,
  namespace: string,
  keys: readonly PointedKey[],
): Promise<void> {
  await session.run(pointMany, [keys.map(() => namespace), keys.map(({ key }) => key), keys.map(({ jobId }) => jobId)]);
}
