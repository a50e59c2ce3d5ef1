/**
 * What may be assigned under the limits of a lane. Whoever assigns under them takes turns by the lock on their rows, and
 * counts what is held from the jobs themselves, in statements after the lock: so a limit is never exceeded, and no permit
 * can be lost with whoever held it.
 */

import { type Capacity, type Room, roomOf, roomOfAll, takeUnits } from '../../domain/limits.ts';
import type { LaneUnderLimits } from '../../engine/limit-views.ts';
import type { Row, Session } from '../database.ts';
import { keyCapacity, type LimitUse, type LockedLimits, lockLimits, readLimitUse, takeRateUnits } from './limit-use.ts';

// Sessions and the lane are locked as by any claim, and for the same reasons, but after the limits: who changes a limit
// holds its row while it waits for the lanes. Here nothing waits.
const lockMany = {
  name: 'lock_limited_lane',
  text: `
WITH open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
open_lane AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = $2 AND held_back & ~$3::smallint = 0 FOR KEY SHARE SKIP LOCKED
)
SELECT session_id, NULL::int AS lane_id FROM open_sessions UNION ALL SELECT NULL, lane_id FROM open_lane`,
};

export interface LimitRoom {
  readonly openSessions: ReadonlySet<string>;
  /** The lane may be assigned from. */
  readonly isOpen: boolean;
  readonly limits: LockedLimits;
  readonly use: LimitUse;
  /** Units that an attempt takes of a rate. */
  readonly cost: number;
  /** What the limits of queue and definition leave; those of keys are another matter. */
  readonly room: Room;
}

/** Within a transaction, until whose end nobody else assigns under these limits. `mask`: bits that don't hold the lane back. */
export async function lockRoom(
  session: Session,
  lane: LaneUnderLimits,
  sessionIds: readonly string[],
  mask: number,
): Promise<LimitRoom> {
  const limits = await lockLimits(session, lane);
  const rows = await session.run(lockMany, [[...new Set(sessionIds)], lane.laneId, mask]);
  // After the lane's lock, for which who sets a limit waits: one that was set in between is seen now.
  const use = await readLimitUse(session, lane, limits);
  const cost = limits.definition?.rateCost ?? 1;
  return {
    openSessions: new Set(rows.flatMap((row) => row.session_id ?? [])),
    isOpen: use.isCurrent && rows.some((row) => row.lane_id !== null),
    limits,
    use,
    cost,
    room: roomOfAll([use.queue, use.definition].flatMap((one) => (one ? [roomOf(one, cost, use.nowUs)] : []))),
  };
}

/** By limit id. */
export type Keys = ReadonlyMap<string, { readonly capacity: Capacity; readonly room: Room }>;

/** From rows that have what `keyUse` gives. */
export function keyRooms(rows: readonly Row[], { limits, cost, use }: LimitRoom): Keys {
  const keys = new Map<string, { capacity: Capacity; room: Room }>();
  for (const row of rows) {
    if (row.limit_id === null || keys.has(row.limit_id)) continue;
    const capacity = keyCapacity(limits.definition, row);
    keys.set(row.limit_id, { capacity, room: roomOf(capacity, cost, use.nowUs) });
  }
  return keys;
}

export function roomsOf(keys: Keys): Map<string, Room> {
  return new Map(Array.from(keys, ([limitId, { room }]) => [limitId, room]));
}

/**
 * Takes the units of attempts that were assigned at a time, in microseconds; of each its limit id, if it has one. It is that
 * time which counts, and not when the limits were read: what came back in between would be given out twice within one
 * stretch of time.
 */
export async function takeUnitsOf(
  session: Session,
  lane: LaneUnderLimits,
  { use, cost }: LimitRoom,
  keys: Keys,
  assigned: readonly (string | undefined)[],
  timeUs: number,
): Promise<void> {
  const fullTimes = new Map<string, number>();
  const take = (bucketId: string, capacity: Capacity | undefined, jobs: number) => {
    if (!capacity?.rateLimit || jobs === 0) return;
    fullTimes.set(bucketId, takeUnits(capacity.rateLimit, capacity.fullTimeUs, jobs * cost, timeUs));
  };
  take(lane.queueBucketId, use.queue, assigned.length);
  take(lane.definitionBucketId, use.definition, assigned.length);
  const byKey = new Map<string, number>();
  for (const limitId of assigned) if (limitId !== undefined) byKey.set(limitId, (byKey.get(limitId) ?? 0) + 1);
  for (const [limitId, jobs] of byKey) take(limitId, keys.get(limitId)?.capacity, jobs);
  await takeRateUnits(session, fullTimes);
}
