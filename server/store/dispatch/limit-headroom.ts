/** A copy of the engine's `dispatch/claims/limit-headroom.ts`, until the engine assigns jobs as it stores them. */
import { isDeepStrictEqual } from 'node:util';
import {
  headroomsOf,
  type Keys,
  keyHeadrooms as keyHeadroomsOf,
  type LimitUse,
  laneHeadroom,
  type Taking,
  unitsTaken,
} from '../../domain/dispatch/limit-use.ts';
import type { Headroom } from '../../domain/dispatch/limits.ts';
import type { PassedGates } from '../../engine/ports/dispatch.ts';
import type { LaneUnderLimits } from '../../engine/ports/limits.ts';
import type { Session } from '../driver/database.ts';
import type { RowWith } from '../driver/row-types.ts';
import { lockLimitedLane, lockLimits, readLimitUse, takeRateUnits } from './limit-use.ts';

export { headroomsOf, type Keys };

export interface LimitHeadroom {
  readonly openSessions: ReadonlySet<string>;
  readonly isOpen: boolean;
  readonly isCurrent: boolean;
  readonly use: LimitUse;
  readonly headroom: Headroom;
}

export async function lockCapacity(
  session: Session,
  lane: LaneUnderLimits,
  sessionIds: readonly string[],
  passed: PassedGates,
): Promise<LimitHeadroom> {
  const [limits, { openSessions, isOpen }, use] = await Promise.all([
    lockLimits(session, lane),
    lockLimitedLane(session, lane.laneId, sessionIds, passed),
    readLimitUse(session, lane),
  ]);
  const isCurrent = isDeepStrictEqual(use.limits, limits);
  return { openSessions, isOpen: isCurrent && isOpen, isCurrent, use, headroom: laneHeadroom(use) };
}

type KeyedRow = RowWith<{ limit_id: 'uuid?'; held: 'int4?'; full_time: 'timestamptz?' }>;

export function keyHeadrooms(rows: readonly KeyedRow[], { use }: LimitHeadroom): Keys {
  return keyHeadroomsOf(
    rows.map((row) => ({ limitId: row.limit_id ?? undefined, held: row.held ?? 0, fullTimeUs: row.full_time })),
    use,
  );
}

export function takeUnitsOf(
  session: Session,
  lane: LaneUnderLimits,
  { use }: LimitHeadroom,
  keys: Keys,
  assigned: readonly Taking[],
): void {
  takeRateUnits(session, unitsTaken(lane, use, keys, assigned));
}
