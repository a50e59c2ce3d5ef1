/** Text that says why ready jobs with demands wait: compares them with the offers and the use of open sessions. */
import {
  ableOf,
  type PlacementOffer,
  type PlacementReason,
  placementReason,
} from '../../domain/explain/placement-reason.ts';
import type { GatedLane } from '../ports/lanes.ts';
import type { Store } from '../ports/store.ts';

/** Max able sessions whose held resources are read: a job that waits for more of them waits for any. */
const MAX_ABLE = 200;

/** `offersOf` reads the offers of a namespace's sessions. */
export async function readPlacementReason(
  store: Store,
  gated: GatedLane,
  offersOf: (namespace: string) => Promise<readonly PlacementOffer[]>,
): Promise<PlacementReason | undefined> {
  const lane = { ...gated, suspect: false };
  const definition = await store.readDefinition(lane.namespace, lane.definition, lane.definitionVersion);
  const handler = (lane.cleanup && definition?.cleanup?.handler) || definition?.handler;
  if (!handler) return undefined;
  const offers = await offersOf(lane.namespace);
  const able = ableOf(offers, lane, handler);
  if (able.length > MAX_ABLE) return undefined;
  const taken = await store.readTaken(able.map(({ sessionId }) => sessionId));
  return placementReason(offers, lane, handler, taken);
}
