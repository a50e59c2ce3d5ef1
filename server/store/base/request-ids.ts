/** Rows of request ids. Those of submissions are inserted with their jobs. */
import type { KeptPage, KeptRequest, RequestKey } from '../../engine/ports/store.ts';
import type { RequestName, StoredCall } from '../../engine/ports/submissions.ts';
import type { Session, Statement } from '../driver/database.ts';
import { NIL_UUID } from '../upkeep/expire-jobs.ts';
import { inputTable } from './input-table.ts';
import { sameKey } from './same-key.ts';

const takeOne = {
  name: 'take_request_id',
  text: `
INSERT INTO request_ids (namespace, request_id, body_hash, job_ids, existing, create_time)
VALUES ($1, $2, $3, $4::uuid[], '{}', (SELECT muster_now()))
ON CONFLICT DO NOTHING RETURNING request_id`,
  row: { request_id: 'uuid' },
} satisfies Statement;

// A separate statement: the row of a call that won against ours is younger than the snapshot of the first statement.
const readOne = {
  name: 'read_request_id',
  text: 'SELECT body_hash, job_ids FROM request_ids WHERE namespace = $1 AND request_id = $2',
  row: { body_hash: 'bytea', job_ids: 'uuid[]' },
} satisfies Statement;

const readMany = {
  name: 'read_request_ids',
  text: `
SELECT r.namespace, r.request_id, r.body_hash, r.job_ids, r.existing
FROM ${inputTable({ namespace: 'text', request_id: 'uuid' }, 'i')} JOIN request_ids r
  ON ${sameKey('r.namespace', 'i.namespace')} AND ${sameKey('r.request_id', 'i.request_id')}`,
  row: { namespace: 'text', request_id: 'uuid', body_hash: 'bytea', job_ids: 'uuid[]', existing: 'bool[]' },
} satisfies Statement;

/** The page of a call, or none, travels as ids: where the next page starts, then the jobs. */
export async function insertRequestId(
  session: Session,
  namespace: string,
  { requestId, bodyHash }: RequestKey,
  page: KeptPage | undefined,
): Promise<boolean> {
  const jobIds = page ? [page.nextBeforeJobId ?? NIL_UUID, ...page.jobIds] : [];
  return (await session.run(takeOne, [namespace, requestId, bodyHash, jobIds])).length > 0;
}

export async function readRequestId(
  session: Session,
  namespace: string,
  requestId: string,
): Promise<KeptRequest | undefined> {
  const [row] = await session.run(readOne, [namespace, requestId]);
  if (!row) return undefined;
  const [next, ...jobIds] = row.job_ids;
  return { bodyHash: row.body_hash, page: { jobIds, nextBeforeJobId: next === NIL_UUID ? undefined : next } };
}

export async function readStoredCalls(session: Session, requests: readonly RequestName[]): Promise<StoredCall[]> {
  const rows = await session.run(readMany, [requests.map((r) => r.namespace), requests.map((r) => r.requestId)]);
  return rows.map((row) => ({
    namespace: row.namespace,
    requestId: row.request_id,
    bodyHash: row.body_hash,
    jobIds: row.job_ids,
    existing: row.existing,
  }));
}
