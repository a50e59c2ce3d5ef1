/**
 * Who gets prefetch. A worker starts what it has fetched ahead before it offers a slot again, so while it is sent younger jobs
 * ahead of slots, an older one that takes slots alone would never find one there. Sessions that such a job waits for get no
 * prefetch until they have offered a slot: then it starts, or a claim has seen that it has no room there.
 */

import type { KnownLane } from './known-lane.ts';
import { isSingleLane, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { CreditClass, ForLane, Kinds } from './unspent-credits.ts';

type SlotLimits = Pick<Limits, 'takesSlotsOnly'>;

export function takesSlotsOnly(limits: SlotLimits, lane: KnownLane): boolean {
  return isSingleLane(lane) || lane.suspect || limits.takesSlotsOnly(lane);
}

/** Places of a class that jobs of the lane may take, of which the first has this rank. */
export function kindsFor(
  lanes: Lanes,
  limits: SlotLimits,
  creditClass: CreditClass,
  lane: KnownLane,
  rank: number,
): Kinds {
  if (takesSlotsOnly(limits, lane)) return 'slots';
  const forLane = (one: KnownLane): ForLane =>
    lanes.permitsOf(creditClass, one) ?? { laneId: one.laneId, worker: undefined };
  return {
    exceptFor: () =>
      lanes
        .unlikeBelow(rank, creditClass)
        .filter((one) => takesSlotsOnly(limits, one))
        .map(forLane),
  };
}
