/**
 * Claims jobs that take amounts of their session's resources. The rows of the sessions are locked, so that such claims take
 * turns, and what is taken is counted from the jobs that a session holds, in a statement after the lock: so nothing is ever
 * given out twice, and nothing can be lost with whoever held it.
 */
import { roomsFor, type SessionRoom, waitOn } from '../../domain/dispatch/reservation.ts';
import { covers } from '../../domain/dispatch/resources.ts';
import type { DemandingClaim } from '../../engine/ports/demands.ts';
import type { ClaimedJob, Place } from '../../engine/ports/dispatch.ts';
import type { LimitsSeen } from '../../engine/ports/limits.ts';
import type { Database, Session } from '../driver/database.ts';
import { claimJobs } from './claim-jobs.ts';
import { claimLimitedIn } from './claim-limited.ts';
import { freePlaces } from './claim-suspects.ts';
import { askForRoom, dropWait, readWaits, type Waits } from './lane-waits.ts';
import { readTaken } from './taken-resources.ts';

// NO KEY UPDATE keeps out other claims of this kind, and those of suspects, for these sessions. It never waits.
const lockSessions = {
  name: 'lock_sessions_for_demands',
  text: `
SELECT session_id, resources FROM sessions
WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
};

type Rooms = ReadonlyMap<string, number>;

/** Within a transaction: of a lane of suspects, or of others. */
export async function claimDemandingIn(
  session: Session,
  claim: DemandingClaim,
  suspect: boolean,
): Promise<ClaimedJob[]> {
  const { demanding, places } = claim;
  const { sessions, seen } = await lockRoom(session, claim);
  const rooms = roomsFor(demanding.needs, sessions);
  const roomy = placesIn(places, rooms);
  const free = suspect && roomy.length > 0 ? await freePlaces(session, roomy) : roomy;
  const { jobs, isFull, isDry } = await assign(session, claim, free);
  if (jobs.length > 0 && seen.own) await dropWait(session, demanding.laneId);
  // Jobs at a limit wait for that, and for no room.
  const waits = async () => isFull || (await askFor(session, claim, sessions, seen));
  const dry = roomy.length > 0 ? isDry : !(await waits());
  const missed = idsOf(places).filter((sessionId) => !rooms.has(sessionId));
  demanding.onRoom?.({ full: fullOnes(rooms, jobs), missed, dry });
  return jobs;
}

export function claimDemanding(database: Database, claim: DemandingClaim, suspect: boolean): Promise<ClaimedJob[]> {
  return database.transaction((session) => claimDemandingIn(session, claim, suspect));
}

/** Locks the sessions, and looks at what is left of them. */
async function lockRoom(
  session: Session,
  { demanding, places }: DemandingClaim,
): Promise<{ readonly sessions: readonly SessionRoom[]; readonly seen: Waits }> {
  const rows = await session.run(lockSessions, [idsOf(places)]);
  const ids = rows.map((row) => row.session_id as string);
  const taken = await readTaken(session, ids);
  const seen = await readWaits(session, demanding.laneId, ids);
  const sessions = rows.map(({ session_id: sessionId, resources }) => ({
    sessionId,
    resources: JSON.parse(resources),
    taken: taken.get(sessionId) ?? [],
    isReserved: seen.reserved.has(sessionId),
  }));
  return { sessions, seen };
}

/** No more places of a session than it has room for. */
function placesIn(places: readonly Place[], rooms: Rooms): Place[] {
  const left = new Map(rooms);
  return places.filter(({ sessionId }) => {
    const room = left.get(sessionId) ?? 0;
    left.set(sessionId, room - 1);
    return room > 0;
  });
}

interface Assigned {
  readonly jobs: ClaimedJob[];
  /** The lane's limits leave no room. */
  readonly isFull: boolean;
  readonly isDry: boolean;
}

async function assign(session: Session, claim: DemandingClaim, places: readonly Place[]): Promise<Assigned> {
  const { maxBytes, probes, demanding } = claim;
  const { laneId, cursor, limited } = demanding;
  const rest = { places, maxBytes, probes, demandsMet: true };
  if (!limited) {
    const jobs = places.length > 0 ? await claimJobs(session, { ...rest, lanes: [{ laneId, cursor }] }) : [];
    return { jobs, isFull: false, isDry: places.length === 0 || jobs.length < places.length };
  }
  let seen: LimitsSeen | undefined;
  const onLimits = (found: LimitsSeen) => {
    seen = found;
    limited.onLimits?.(found);
  };
  const jobs = await claimLimitedIn(session, { ...rest, lane: { ...limited, onLimits } });
  return { jobs, isFull: seen?.full === true, isDry: seen?.dry === true };
}

/** The lane asks for room, where one of the sessions would have some if it were empty. Returns whether a job waits for it. */
async function askFor(
  session: Session,
  { demanding: { laneId, needs } }: DemandingClaim,
  sessions: readonly SessionRoom[],
  { own, nowUs }: Waits,
): Promise<boolean> {
  const able = sessions.filter(({ resources }) => covers(resources, needs));
  return able.length === 0 || askForRoom(session, laneId, waitOn(own, needs, able, nowUs));
}

function fullOnes(rooms: Rooms, jobs: readonly ClaimedJob[]): string[] {
  const left = new Map(rooms);
  for (const { sessionId } of jobs) left.set(sessionId, (left.get(sessionId) ?? 0) - 1);
  return [...left].filter(([, room]) => room <= 0).map(([sessionId]) => sessionId);
}

function idsOf(places: readonly Place[]): string[] {
  return [...new Set(places.map(({ sessionId }) => sessionId))];
}
