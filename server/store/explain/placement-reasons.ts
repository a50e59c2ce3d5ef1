/** Text that says why ready jobs with demands wait: compares them with the offers and the use of open sessions. */

import type { LaneKey } from '../../domain/dispatch/placement.ts';
import {
  ableOf,
  type PlacementOffer,
  type PlacementReason,
  placementReason,
} from '../../domain/explain/placement-reason.ts';
import { readDefinition } from '../definitions/definitions.ts';
import { readTaken } from '../dispatch/taken-resources.ts';
import type { Session } from '../driver/database.ts';
import type { RowWith } from '../driver/row-types.ts';

/** Max able sessions whose held resources are read: a job that waits for more of them waits for any. */
const MAX_ABLE = 200;

type LaneRow = RowWith<{
  namespace: 'text';
  queue: 'text';
  definition: 'text';
  definition_version: 'int4';
  demands: 'text';
  cleanup: 'bool';
}>;

/** For a row with the key of a lane. `offersOf` reads the offers of a namespace's sessions. */
export async function readPlacementReason(
  session: Session,
  row: LaneRow,
  offersOf: (namespace: string) => Promise<readonly PlacementOffer[]>,
): Promise<PlacementReason | undefined> {
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
  const offers = await offersOf(lane.namespace);
  const able = ableOf(offers, lane, handler);
  if (able.length > MAX_ABLE) return undefined;
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
