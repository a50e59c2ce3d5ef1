/**
 * Claims jobs of a lane with limits. Jobs whose keys are exhausted are deferred, so that later claims don't scan them.
 */
import { headroomsOf, keyHeadrooms, type LimitUse, unitsTaken } from '../../../domain/dispatch/limit-use.ts';
import { admit } from '../../../domain/dispatch/limits.ts';
import type { Claim, ClaimResult, LaneToClaim, LimitedCandidate } from '../../ports/dispatch.ts';
import type { LimitsToClaim } from '../../ports/limits.ts';
import type { Store } from '../../ports/store.ts';
import { lockCapacity } from './limit-headroom.ts';

/** Min jobs scanned per claim where some may be at the limit of their keys. */
const MIN_SCANNED = 100;

/** Within `together`. */
export async function claimLimited(tx: Store, claim: Claim, limits: LimitsToClaim): Promise<ClaimResult> {
  const sessionIds = claim.permits.map((permit) => permit.sessionId);
  const { use, headroom, openSessions, isOpen, isCurrent } = await lockCapacity(tx, limits, sessionIds, claim);
  const permits = claim.permits.filter((permit) => openSessions.has(permit.sessionId));
  const most = isOpen ? Math.min(headroom.jobs, permits.length) : 0;
  const lane = { laneId: limits.laneId, cursor: claim.lanes[0]?.cursor ?? 0 };
  const { candidates, areAll } = await scan(tx, lane, use, most);
  const keys = keyHeadrooms(candidates, use);
  const { admitted, over } = admit(candidates, headroomsOf(keys), most, claim.maxBytes);
  const jobs = admitted.length > 0 ? await tx.assignLocked(admitted, permits) : [];
  if (over.length > 0) tx.deferAtLimit(over, limits);
  const limitIds = new Map(candidates.map(({ jobId, limitId }) => [jobId, limitId]));
  const taken = admitted.map((jobId) => ({ limitId: limitIds.get(jobId) }));
  tx.takeRateUnits(unitsTaken(limits, use, keys, taken), use.nowUs);
  const isEmpty = areAll && admitted.length + over.length === candidates.length;
  return {
    jobs,
    gatedLaneIds: [],
    limits: {
      exhausted: isOpen && admitted.length >= headroom.jobs,
      openTimeUs: headroom.openTimeUs,
      deferred: [...new Set(over.flatMap((jobId) => limitIds.get(jobId) ?? []))],
      // The lane is dry: the next claim would find no more, as with an empty lane, while no session takes anything or
      // it is gated.
      dry: permits.length === 0 || (isCurrent && !isOpen) || isEmpty,
    },
  };
}

interface Scanned {
  readonly candidates: readonly LimitedCandidate[];
  /** These are all ready jobs of the lane that no other transaction has locked. */
  readonly areAll: boolean;
}

async function scan(tx: Store, lane: LaneToClaim, { limits }: LimitUse, most: number): Promise<Scanned> {
  if (most === 0) return { candidates: [], areAll: false };
  const { keyLimit } = limits.definition ?? {};
  const limit = keyLimit ? Math.max(most, MIN_SCANNED) : most;
  const candidates = await tx.lockLimitedCandidates(lane, limit, keyLimit?.maxConcurrency ?? 0);
  return { candidates, areAll: candidates.length < limit };
}
