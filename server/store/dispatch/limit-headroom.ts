/**
 * What may be assigned under the limits of a lane. Transactions that assign under them take turns by the lock on their
 * rows, and count held jobs from the jobs themselves, in statements after the lock: so a limit is never exceeded, and
 * no permit is lost with a session or replica that dies.
 */

import { isDeepStrictEqual } from 'node:util';
import { type Capacity, type Headroom, headroomOf, lowestHeadroom, timeOfUnits } from '../../domain/dispatch/limits.ts';
import type { LaneUnderLimits } from '../../engine/ports/limits.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowWith } from '../driver/row-types.ts';
import {
  type KeyUseRow,
  keyCapacity,
  type LimitUse,
  lockLimits,
  readLimitUse,
  type TakenUnits,
  takeRateUnits,
} from './limit-use.ts';

// Sessions and the lane are locked as by any claim, and for the same reasons, but after the limits: a change of a limit
// holds the limit's row while it waits for the lanes. Here nothing waits.
const lockMany = {
  name: 'lock_limited_lane',
  text: `
WITH open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
open_lane AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = $2 AND gates & ~$3::smallint = 0 FOR KEY SHARE SKIP LOCKED
)
SELECT session_id, NULL::int AS lane_id FROM open_sessions UNION ALL SELECT NULL, lane_id FROM open_lane`,
  row: { session_id: 'uuid?', lane_id: 'int4?' },
} satisfies Statement;

export interface LimitHeadroom {
  readonly openSessions: ReadonlySet<string>;
  /** Jobs of the lane may be assigned. */
  readonly isOpen: boolean;
  /** The limits are unchanged since they were locked. */
  readonly isCurrent: boolean;
  readonly use: LimitUse;
  /** Rate units per attempt. */
  readonly cost: number;
  /** Headroom under the limits of queue and definition. Limits of keys are separate. */
  readonly headroom: Headroom;
}

/**
 * Within a transaction; no other one assigns under these limits until its end. `mask`: gates that this caller ignores.
 */
export async function lockCapacity(
  session: Session,
  lane: LaneUnderLimits,
  sessionIds: readonly string[],
  mask: number,
): Promise<LimitHeadroom> {
  // In this order: a change of a limit waits for the lane, so the last read sees one made before the lane was locked.
  const [limits, rows, use] = await Promise.all([
    lockLimits(session, lane),
    session.run(lockMany, [[...new Set(sessionIds)], lane.laneId, mask]),
    readLimitUse(session, lane),
  ]);
  // A limit that did not exist could not be locked.
  const isCurrent = isDeepStrictEqual(use.limits, limits);
  const cost = limits.definition?.rateCost ?? 1;
  return {
    openSessions: new Set(rows.flatMap((row) => row.session_id ?? [])),
    isOpen: isCurrent && rows.some((row) => row.lane_id !== null),
    isCurrent,
    use,
    cost,
    headroom: lowestHeadroom(
      [use.queue, use.definition].flatMap((one) => (one ? [headroomOf(one, cost, use.nowUs)] : [])),
    ),
  };
}

/** By limit id. */
export type Keys = ReadonlyMap<string, { readonly capacity: Capacity; readonly headroom: Headroom }>;

/** With the columns of `keyUse`, which are NULL for a job without a key. */
type KeyedRow = RowWith<{ limit_id: 'uuid?'; held: 'int4?'; full_time: 'timestamptz?' }>;

export function keyHeadrooms(rows: readonly KeyedRow[], { cost, use }: LimitHeadroom): Keys {
  const keys = new Map<string, { capacity: Capacity; headroom: Headroom }>();
  for (const row of rows) {
    if (row.limit_id === null || keys.has(row.limit_id)) continue;
    const capacity = keyCapacity(use.limits.definition, row as KeyUseRow);
    keys.set(row.limit_id, { capacity, headroom: headroomOf(capacity, cost, use.nowUs) });
  }
  return keys;
}

export function headroomsOf(keys: Keys): Map<string, Headroom> {
  return new Map(Array.from(keys, ([limitId, { headroom }]) => [limitId, headroom]));
}

/** An attempt assigned under limits. */
export interface Taking {
  readonly limitId: string | undefined;
  /** It is assigned if this job is stored. Undefined: in any case. */
  readonly storedJobId?: string | undefined;
}

/** Takes, at the end of the transaction, the units of attempts that the statement before this one assigns. */
export function takeUnitsOf(
  session: Session,
  lane: LaneUnderLimits,
  { use, cost }: LimitHeadroom,
  keys: Keys,
  assigned: readonly Taking[],
): void {
  const taken: TakenUnits[] = [];
  const take = (bucketId: string, capacity: Capacity | undefined, jobs: number, storedJobId: string | undefined) => {
    if (capacity?.rateLimit)
      taken.push({ bucketId, addedUs: timeOfUnits(capacity.rateLimit, jobs * cost), storedJobId });
  };
  for (const [storedJobId, attempts] of Map.groupBy(assigned, (one) => one.storedJobId)) {
    take(lane.queueBucketId, use.queue, attempts.length, storedJobId);
    take(lane.definitionBucketId, use.definition, attempts.length, storedJobId);
    if (!use.limits.definition?.keyLimit?.rateLimit) continue;
    for (const [limitId, ofKey] of Map.groupBy(attempts, (one) => one.limitId))
      if (limitId !== undefined) take(limitId, keys.get(limitId)?.capacity, ofKey.length, storedJobId);
  }
  takeRateUnits(session, taken);
}
