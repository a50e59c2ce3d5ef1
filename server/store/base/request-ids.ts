/**
 * Request ids of changes other than submissions: the first call with an id is carried out, its repeats change nothing.
 */
import type { KeptPage, RequestKey } from '../../engine/ports/store.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { NIL_UUID } from '../upkeep/expire-jobs.ts';

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

/** Runs first in the transaction of the change. */
export async function takeRequestId(
  session: Session,
  namespace: string,
  request: RequestKey,
): Promise<'first' | 'repeat' | 'reused'> {
  const row = await take(session, namespace, request, []);
  if (!row) return 'first';
  return isSame(row, request) ? 'repeat' : 'reused';
}

/**
 * Keeps the page of the first call with the id, and returns that page to its repeats. Needs no transaction around it.
 */
export async function keepPage(
  session: Session,
  namespace: string,
  request: RequestKey,
  page: KeptPage,
): Promise<KeptPage | 'reused'> {
  const row = await take(session, namespace, request, [page.nextBeforeJobId ?? NIL_UUID, ...page.jobIds]);
  if (!row) return page;
  if (!isSame(row, request)) return 'reused';
  const [next, ...jobIds] = row.job_ids;
  return { jobIds, nextBeforeJobId: next === NIL_UUID ? undefined : next };
}

/** The row of an earlier call with the id. Undefined: this call is the first. */
async function take(
  session: Session,
  namespace: string,
  { requestId, bodyHash }: RequestKey,
  jobIds: readonly string[],
): Promise<RowOf<typeof readOne> | undefined> {
  const taken = await session.run(takeOne, [namespace, requestId, bodyHash, jobIds]);
  if (taken.length > 0) return undefined;
  const [row] = await session.run(readOne, [namespace, requestId]);
  if (!row) throw new Error('a request id can neither be taken nor found: it was deleted meanwhile; repeat the call');
  return row;
}

function isSame(row: RowOf<typeof readOne>, { bodyHash }: RequestKey): boolean {
  return Buffer.compare(row.body_hash, bodyHash) === 0;
}
