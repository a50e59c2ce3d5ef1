/** Idempotency keys: one job holds a key. A later call gets its id, or takes the key over from a job it cancelled. */
import type { IdempotencyKey, KeyOwners } from '../../../domain/jobs/idempotency-key.ts';
import type { SubmitCall } from '../../../engine/ports/submissions.ts';
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

/** Points keys that this transaction has taken to other jobs. */
export async function pointKeys(
  session: Session,
  namespace: string,
  keys: readonly { readonly key: string; readonly jobId: string }[],
): Promise<void> {
  if (keys.length === 0) return;
  await session.run(pointMany, [keys.map(() => namespace), keys.map(({ key }) => key), keys.map(({ jobId }) => jobId)]);
}

/** Namespace and name of each key, as arrays. */
function namesOf(call: SubmitCall, keys: readonly IdempotencyKey[]): Parameter[] {
  return [keys.map(() => call.namespace), keys.map((key) => key.key)];
}

/** The rows of the keys, as arrays. */
function rowsOf(call: SubmitCall, keys: readonly IdempotencyKey[]): Parameter[] {
  const hashes = keys.map((key) => key.contentHash);
  return [...namesOf(call, keys), keys.map((key) => call.jobs[key.index]?.jobId), hashes];
}

export async function readOwners(session: Session, call: SubmitCall): Promise<KeyOwners> {
  const rows = await session.run(readKeys, namesOf(call, call.keys));
  return new Map(rows.map((row) => [row.idempotency_key, { jobId: row.job_id, contentHash: row.content_hash }]));
}

export async function findOwnedKeys(session: Session, namespace: string, keys: readonly string[]): Promise<string[]> {
  const rows = await session.run(readKeys, [keys.map(() => namespace), keys]);
  return rows.map((row) => row.idempotency_key);
}

/** Takes free keys, and keys of jobs that the call replaces. Returns the owner of each key. */
export async function takeKeys(session: Session, call: SubmitCall): Promise<KeyOwners> {
  await session.run(insertKeys, rowsOf(call, call.keys));
  const replacing = call.keys.filter((key) => key.replacedJobId);
  if (replacing.length > 0) {
    const replaced = replacing.map((key) => key.replacedJobId);
    await session.run(takeOverKeys, [...rowsOf(call, replacing), replaced]);
  }
  return readOwners(session, call);
}
