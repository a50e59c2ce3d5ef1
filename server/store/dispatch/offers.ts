/** Offers of open sessions that take jobs. */
import type { PlacementOffer } from '../../domain/explain/placement-reason.ts';
import type { Session, Statement } from '../driver/database.ts';

const listMany = {
  name: 'list_offers',
  text: `
SELECT session_id, namespace, worker_name, handlers, labels, resources FROM sessions
WHERE namespace BETWEEN $1 AND $1 AND session_id > $2 AND state <> 3 AND state IS NOT DISTINCT FROM 1 AND NOT draining AND NOT drain_wanted
ORDER BY namespace, session_id LIMIT $3`,
  row: {
    session_id: 'uuid',
    namespace: 'text',
    worker_name: 'text',
    handlers: 'text',
    labels: 'text',
    resources: 'text',
  },
} satisfies Statement;

export async function listOffers(
  session: Session,
  namespace: string,
  afterSessionId: string,
  limit: number,
): Promise<PlacementOffer[]> {
  const rows = await session.run(listMany, [namespace, afterSessionId, limit]);
  return rows.map((row) => ({
    sessionId: row.session_id,
    namespace: row.namespace,
    workerName: row.worker_name,
    handlers: JSON.parse(row.handlers),
    labels: JSON.parse(row.labels),
    resources: JSON.parse(row.resources),
  }));
}
