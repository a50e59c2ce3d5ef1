/**
 * Claims jobs that take amounts of their session's resources. The rows of the sessions are locked, so that such claims
 * take turns. The amounts taken are counted from the jobs that a session holds, in a statement after the lock: so
 * nothing is ever assigned twice, and nothing is lost with a claim or a session that dies.
 */
import { fitCounts, reserve, type SessionCapacity } from '../../domain/dispatch/reservation.ts';
import { type Amounts, covers } from '../../domain/dispatch/resources.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit } from '../../engine/ports/dispatch.ts';
import type { Session, Statement } from '../driver/database.ts';
import { claimJobs } from './claim-jobs.ts';
import { claimLimited } from './claim-limited.ts';
import { freePermits } from './claim-suspects.ts';
import { askForCapacity, dropReservation, type Reservations, readReservations } from './reservations.ts';
import { readTaken } from './taken-resources.ts';

// NO KEY UPDATE excludes other claims of this kind, and claims of suspects, for these sessions. It never waits.
const lockSessions = {
  name: 'lock_sessions_for_demands',
  text: `
SELECT session_id, resources FROM sessions
WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
  row: { session_id: 'uuid', resources: 'text' },
} satisfies Statement;

type FitCounts = ReadonlyMap<string, number>;

/** Within a transaction. */
export async function claimDemanding(session: Session, claim: Claim, needs: Amounts): Promise<ClaimResult> {
  const { permits } = claim;
  const [lane] = claim.lanes as [Claim['lanes'][number]];
  const { sessions, seen } = await lockCapacity(session, lane.laneId, permits);
  const fits = fitCounts(needs, sessions);
  const fitting = permitsIn(permits, fits);
  const free = claim.suspects && fitting.length > 0 ? await freePermits(session, fitting) : fitting;
  const found = await assign(session, { ...claim, permits: free });
  const { jobs, limits } = found;
  if (jobs.length > 0 && seen.own) await dropReservation(session, lane.laneId);
  // Jobs at a limit wait for the limit, not for capacity.
  const waits = async () => limits?.exhausted || (await askFor(session, lane.laneId, needs, sessions, seen));
  const isDry = limits ? limits.dry : free.length === 0 || jobs.length < free.length;
  const dry = fitting.length > 0 ? isDry : !(await waits());
  const missed = idsOf(permits).filter((sessionId) => !fits.has(sessionId));
  return { ...found, capacity: { exhausted: exhaustedSessions(fits, jobs), missed, dry } };
}

/** Locks the sessions, and reads their free capacity. */
async function lockCapacity(
  session: Session,
  laneId: number,
  permits: readonly Permit[],
): Promise<{ readonly sessions: readonly SessionCapacity[]; readonly seen: Reservations }> {
  const rows = await session.run(lockSessions, [idsOf(permits)]);
  const ids = rows.map((row) => row.session_id);
  const taken = await readTaken(session, ids);
  const seen = await readReservations(session, laneId, ids);
  const sessions = rows.map(({ session_id: sessionId, resources }) => ({
    sessionId,
    resources: JSON.parse(resources),
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

async function assign(session: Session, claim: Claim): Promise<ClaimResult> {
  if (claim.limits) return claimLimited(session, claim, claim.limits);
  return claim.permits.length > 0 ? claimJobs(session, claim) : { jobs: [], gatedLaneIds: [] };
}

/** Asks for a reservation if one of the sessions would have enough capacity when empty. False: no ready job waits. */
async function askFor(
  session: Session,
  laneId: number,
  needs: Amounts,
  sessions: readonly SessionCapacity[],
  { own, nowUs }: Reservations,
): Promise<boolean> {
  const able = sessions.filter(({ resources }) => covers(resources, needs));
  return able.length === 0 || askForCapacity(session, laneId, reserve(own, needs, able, nowUs));
}

function exhaustedSessions(fits: FitCounts, jobs: readonly ClaimedJob[]): string[] {
  const left = new Map(fits);
  for (const { sessionId } of jobs) left.set(sessionId, (left.get(sessionId) ?? 0) - 1);
  return [...left].filter(([, space]) => space <= 0).map(([sessionId]) => sessionId);
}

function idsOf(permits: readonly Permit[]): string[] {
  return [...new Set(permits.map(({ sessionId }) => sessionId))];
}
