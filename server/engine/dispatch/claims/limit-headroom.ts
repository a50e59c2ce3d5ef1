/**
 * What may be assigned under the limits of a lane. Transactions that assign under them take turns by the lock on their
 * rows, and count held jobs from the jobs themselves, in statements after the lock: so a limit is never exceeded, and
 * no permit is lost with a session or replica that dies.
 */
import { isDeepStrictEqual } from 'node:util';
import { isTrusted } from '../../../domain/base/trusted-time.ts';
import { type LimitUse, laneHeadroom } from '../../../domain/dispatch/limit-use.ts';
import type { Headroom } from '../../../domain/dispatch/limits.ts';
import type { PassedGates } from '../../ports/dispatch.ts';
import type { LaneUnderLimits } from '../../ports/limits.ts';
import type { Store } from '../../ports/store.ts';

export interface LimitHeadroom {
  readonly openSessions: ReadonlySet<string>;
  /** Jobs of the lane may be assigned. */
  readonly isOpen: boolean;
  /** The limits are unchanged since they were locked. */
  readonly isCurrent: boolean;
  readonly use: LimitUse;
  /** Headroom under the limits of queue and definition. Limits of keys are separate. */
  readonly headroom: Headroom;
}

/** Within `together`; no other transaction assigns under these limits until its end. */
export async function lockCapacity(
  tx: Store,
  lane: LaneUnderLimits,
  sessionIds: readonly string[],
  passed: PassedGates,
): Promise<LimitHeadroom> {
  // In this order: a change of a limit waits for the lane, so the last read sees one made before the lane was locked.
  const [limits, { openSessions, isOpen }, use] = await Promise.all([
    tx.lockLimits(lane),
    tx.lockLimitedLane(lane.laneId, sessionIds, passed),
    tx.readLimitUse(lane),
  ]);
  // A limit that did not exist could not be locked.
  const isCurrent = isDeepStrictEqual(use.limits, limits);
  // By a clock that has stepped, a rate would give too many units now, or none for a long time.
  const isInTime = isTrusted(use.nowUs, lane.ownUs);
  return { openSessions, isOpen: isCurrent && isOpen && isInTime, isCurrent, use, headroom: laneHeadroom(use) };
}
