/** Why ready jobs wait that demand something of their worker, for people: what open sessions offer, and what they hold. */

import type { LaneKey } from '../../domain/placement.ts';
import { ableOf, type PlacementOffer, type PlacementReason, placementReason } from '../../domain/placement-reason.ts';
import type { Row, Session } from '../database.ts';
import { readDefinition } from './definitions.ts';
import { readTaken } from './taken-resources.ts';

const MOST_OFFERS = 1_000;
/** Sessions that could run a job and are asked for what they hold: a job that waits for more of them waits for any. */
const MOST_ABLE = 200;

const listOffering = {
  name: 'list_placement_offers',
  text: `
SELECT session_id, namespace, worker_name, handlers, labels, resources FROM sessions
WHERE namespace BETWEEN $1 AND $1 AND state <> 3 AND state IS NOT DISTINCT FROM 1 AND NOT draining AND NOT drain_wanted
ORDER BY namespace, session_id LIMIT ${MOST_OFFERS}`,
};

async function readOffers(session: Session, namespace: string): Promise<PlacementOffer[]> {
  const rows = await session.run(listOffering, [namespace]);
  return rows.map((row) => ({
    sessionId: row.session_id,
    namespace: row.namespace,
    workerName: row.worker_name,
    handlers: JSON.parse(row.handlers),
    labels: JSON.parse(row.labels),
    resources: JSON.parse(row.resources),
  }));
}

/** Of a row with the key of a lane. */
export async function readPlacementReason(session: Session, row: Row): Promise<PlacementReason | undefined> {
  const lane: LaneKey = {
    namespace: row.namespace,
    queue: row.queue,
    definition: row.definition,
    definitionVersion: row.definition_version,
    demands: row.demands,
    suspect: false,
  };
  const definition = await readDefinition(session, lane.namespace, lane.definition, lane.definitionVersion);
  const handler = (row.cleanup && definition?.cleanup?.handler) || definition?.handler;
  if (!handler) return undefined;
  const offers = await readOffers(session, lane.namespace);
  const able = ableOf(offers, lane, handler);
  if (able.length > MOST_ABLE) return undefined;
  return placementReason(
    offers,
    lane,
    handler,
    await readTaken(
      session,
      able.map(({ sessionId }) => sessionId),
    ),
  );
}
