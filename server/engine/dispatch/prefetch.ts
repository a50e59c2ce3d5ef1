/**
 * Which sessions get prefetch. A worker starts prefetched jobs before it offers a slot again. So if it always got
 * younger jobs as prefetch, an older job that takes slots only would never find a slot there. Sessions that such a job
 * waits for get no prefetch until they have offered a slot: then the job starts, or a claim has seen that they lack the
 * capacity.
 */

import type { KnownLane } from './known-lane.ts';
import { isSingleLane, type Lanes } from './lanes.ts';
import type { Limits } from './limits.ts';
import type { CreditClass, ForLane, Kinds } from './unspent-credits.ts';

type SlotLimits = Pick<Limits, 'takesSlotsOnly'>;

export function takesSlotsOnly(limits: SlotLimits, lane: KnownLane): boolean {
  return isSingleLane(lane) || lane.suspect || limits.takesSlotsOnly(lane);
}

/** Kinds of permits of a class that jobs of the lane may take; the first job has this rank. */
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
