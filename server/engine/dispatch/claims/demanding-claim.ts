/**
 * Claims jobs that take amounts of their session's resources. The rows of the sessions are locked, so that such claims
 * take turns. The amounts taken are counted from the jobs that a session holds, in a statement after the lock: so
 * nothing is ever assigned twice, and nothing is lost with a claim or a session that dies.
 */
import { fitCounts, reserve, type SessionCapacity } from '../../../domain/dispatch/reservation.ts';
import { type Amounts, covers } from '../../../domain/dispatch/resources.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit, Reservations } from '../../ports/dispatch.ts';
import type { Store } from '../../ports/store.ts';
import { freePermits } from './free-permits.ts';
import { claimLimited } from './limited-claim.ts';

type FitCounts = ReadonlyMap<string, number>;

/** Within `together`. */
export async function claimDemanding(tx: Store, claim: Claim, needs: Amounts): Promise<ClaimResult> {
  const { permits } = claim;
  const [lane] = claim.lanes as [Claim['lanes'][number]];
  const { sessions, seen } = await lockCapacity(tx, lane.laneId, permits);
  const fits = fitCounts(needs, sessions);
  const fitting = permitsIn(permits, fits);
  const free = claim.suspects && fitting.length > 0 ? await freePermits(tx, fitting) : fitting;
  const found = await assign(tx, { ...claim, permits: free });
  const { jobs, limits } = found;
  if (jobs.length > 0 && seen.own) await tx.dropReservation(lane.laneId);
  // Jobs at a limit wait for the limit, not for capacity.
  const waits = async () => limits?.exhausted || (await askFor(tx, lane.laneId, needs, sessions, seen));
  const isDry = limits ? limits.dry : free.length === 0 || jobs.length < free.length;
  const dry = fitting.length > 0 ? isDry : !(await waits());
  const missed = idsOf(permits).filter((sessionId) => !fits.has(sessionId));
  return { ...found, capacity: { exhausted: exhaustedSessions(fits, jobs), missed, dry } };
}

/** Locks the sessions, and reads their free capacity. */
async function lockCapacity(
  tx: Store,
  laneId: number,
  permits: readonly Permit[],
): Promise<{ readonly sessions: readonly SessionCapacity[]; readonly seen: Reservations }> {
  const locked = await tx.lockForDemands(idsOf(permits));
  const ids = locked.map(({ sessionId }) => sessionId);
  const taken = await tx.readTaken(ids);
  const seen = await tx.readReservations(laneId, ids);
  const sessions = locked.map(({ sessionId, resources }) => ({
    sessionId,
    resources,
    taken: taken.get(sessionId) ?? [],
    isReserved: seen.reserved.has(sessionId),
  }));
  return { sessions, seen };
}

/** Keeps no more permits per session than it has capacity for. */
function permitsIn(permits: readonly Permit[], fits: FitCounts): Permit[] {
  const left = new Map(fits);
  return permits.filter(({ sessionId }) => {
    const space = left.get(sessionId) ?? 0;
    left.set(sessionId, space - 1);
    return space > 0;
  });
}

async function assign(tx: Store, claim: Claim): Promise<ClaimResult> {
  if (claim.limits) return claimLimited(tx, claim, claim.limits);
  return claim.permits.length > 0 ? tx.claimJobs(claim) : { jobs: [], gatedLaneIds: [] };
}

/** Asks for a reservation if one of the sessions would have enough capacity when empty. False: no ready job waits. */
async function askFor(
  tx: Store,
  laneId: number,
  needs: Amounts,
  sessions: readonly SessionCapacity[],
  { own, nowUs }: Reservations,
): Promise<boolean> {
  const able = sessions.filter(({ resources }) => covers(resources, needs));
  return able.length === 0 || tx.requestReservation(laneId, reserve(own, needs, able, nowUs));
}

function exhaustedSessions(fits: FitCounts, jobs: readonly ClaimedJob[]): string[] {
  const left = new Map(fits);
  for (const { sessionId } of jobs) left.set(sessionId, (left.get(sessionId) ?? 0) - 1);
  return [...left].filter(([, space]) => space <= 0).map(([sessionId]) => sessionId);
}

function idsOf(permits: readonly Permit[]): string[] {
  return [...new Set(permits.map(({ sessionId }) => sessionId))];
}
