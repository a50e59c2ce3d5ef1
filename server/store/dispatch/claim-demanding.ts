/**
 * Claims jobs that take amounts of their session's resources. The rows of the sessions are locked, so that such claims take
 * turns, and what is taken is counted from the jobs that a session holds, in a statement after the lock: so nothing is ever
 * given out twice, and nothing can be lost with whoever held it.
 */
import { fitCounts, reserve, type SessionCapacity } from '../../domain/dispatch/reservation.ts';
import { covers } from '../../domain/dispatch/resources.ts';
import type { DemandingClaim } from '../../engine/ports/demands.ts';
import type { ClaimedJob, Permit } from '../../engine/ports/dispatch.ts';
import type { LimitsResult } from '../../engine/ports/limits.ts';
import type { Database, Session } from '../driver/database.ts';
import { claimJobs } from './claim-jobs.ts';
import { claimLimitedIn } from './claim-limited.ts';
import { freePermits } from './claim-suspects.ts';
import { askForCapacity, dropReservation, type Reservations, readReservations } from './reservations.ts';
import { readTaken } from './taken-resources.ts';

// NO KEY UPDATE keeps out other claims of this kind, and those of suspects, for these sessions. It never waits.
const lockSessions = {
  name: 'lock_sessions_for_demands',
  text: `
SELECT session_id, resources FROM sessions
WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
};

type FitCounts = ReadonlyMap<string, number>;

/** Within a transaction: of a lane of suspects, or of others. */
export async function claimDemandingIn(
  session: Session,
  claim: DemandingClaim,
  suspect: boolean,
): Promise<ClaimedJob[]> {
  const { demanding, permits } = claim;
  const { sessions, seen } = await lockCapacity(session, claim);
  const fits = fitCounts(demanding.needs, sessions);
  const fitting = permitsIn(permits, fits);
  const free = suspect && fitting.length > 0 ? await freePermits(session, fitting) : fitting;
  const { jobs, isExhausted, isDry } = await assign(session, claim, free);
  if (jobs.length > 0 && seen.own) await dropReservation(session, demanding.laneId);
  // Jobs at a limit wait for that, and for no room.
  const waits = async () => isExhausted || (await askFor(session, claim, sessions, seen));
  const dry = fitting.length > 0 ? isDry : !(await waits());
  const missed = idsOf(permits).filter((sessionId) => !fits.has(sessionId));
  demanding.onCapacity?.({ exhausted: exhaustedSessions(fits, jobs), missed, dry });
  return jobs;
}

export function claimDemanding(database: Database, claim: DemandingClaim, suspect: boolean): Promise<ClaimedJob[]> {
  return database.transaction((session) => claimDemandingIn(session, claim, suspect));
}

/** Locks the sessions, and looks at what is left of them. */
async function lockCapacity(
  session: Session,
  { demanding, permits }: DemandingClaim,
): Promise<{ readonly sessions: readonly SessionCapacity[]; readonly seen: Reservations }> {
  const rows = await session.run(lockSessions, [idsOf(permits)]);
  const ids = rows.map((row) => row.session_id as string);
  const taken = await readTaken(session, ids);
  const seen = await readReservations(session, demanding.laneId, ids);
  const sessions = rows.map(({ session_id: sessionId, resources }) => ({
    sessionId,
    resources: JSON.parse(resources),
    taken: taken.get(sessionId) ?? [],
    isReserved: seen.reserved.has(sessionId),
  }));
  return { sessions, seen };
}

/** No more places of a session than it has room for. */
function permitsIn(permits: readonly Permit[], fits: FitCounts): Permit[] {
  const left = new Map(fits);
  return permits.filter(({ sessionId }) => {
    const space = left.get(sessionId) ?? 0;
    left.set(sessionId, space - 1);
    return space > 0;
  });
}

interface Assigned {
  readonly jobs: ClaimedJob[];
  /** The lane's limits leave no room. */
  readonly isExhausted: boolean;
  readonly isDry: boolean;
}

async function assign(session: Session, claim: DemandingClaim, permits: readonly Permit[]): Promise<Assigned> {
  const { maxBytes, probes, demanding } = claim;
  const { laneId, cursor, limited } = demanding;
  const rest = { permits, maxBytes, probes, demandsMet: true };
  if (!limited) {
    const jobs = permits.length > 0 ? await claimJobs(session, { ...rest, lanes: [{ laneId, cursor }] }) : [];
    return { jobs, isExhausted: false, isDry: permits.length === 0 || jobs.length < permits.length };
  }
  let seen: LimitsResult | undefined;
  const onLimits = (found: LimitsResult) => {
    seen = found;
    limited.onLimits?.(found);
  };
  const jobs = await claimLimitedIn(session, { ...rest, lane: { ...limited, onLimits } });
  return { jobs, isExhausted: seen?.exhausted === true, isDry: seen?.dry === true };
}

/** The lane asks for room, where one of the sessions would have some if it were empty. Returns whether a job waits for it. */
async function askFor(
  session: Session,
  { demanding: { laneId, needs } }: DemandingClaim,
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
