/** Request ids of changes other than submissions: the first call with one is carried out, its repeats change nothing. */
import type { RequestKey } from '../../engine/requests.ts';
import type { Session } from '../database.ts';

const takeOne = {
  name: 'take_request_id',
  text: `
INSERT INTO request_ids (namespace, request_id, body_hash, job_ids, existing, create_time)
VALUES ($1, $2, $3, '{}', '{}', (SELECT muster_now()))
ON CONFLICT DO NOTHING RETURNING request_id`,
};

// A statement of its own: what won against ours is younger than its snapshot.
const readOne = {
  name: 'read_request_id',
  text: 'SELECT body_hash FROM request_ids WHERE namespace = $1 AND request_id = $2',
};

/** Within the transaction of the change, and first of all. */
export async function takeRequestId(
  session: Session,
  namespace: string,
  request: RequestKey,
): Promise<'first' | 'repeat' | 'reused'> {
  const { requestId, bodyHash } = request;
  const taken = await session.run(takeOne, [namespace, requestId, bodyHash]);
  if (taken.length > 0) return 'first';
  const [row] = await session.run(readOne, [namespace, requestId]);
  return row && Buffer.compare(row.body_hash, bodyHash) === 0 ? 'repeat' : 'reused';
}
