/** Claims suspects: jobs that may be what takes their workers down, never two of them in one session. */
import type { Claim, ClaimedJob } from '../../engine/store-port.ts';
import type { Database, Session } from '../database.ts';
import { claimJobs } from './claim-jobs.ts';

// NO KEY UPDATE keeps out other claims of suspects for these sessions, and no claim of other jobs. It never waits.
const lockSessions = {
  name: 'lock_sessions_for_suspects',
  text: `
SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
};

// A statement of its own: what a claim before ours assigned is younger than the snapshot that the lock was taken under.
// `losses` says who is a suspect, as `isSuspect` does.
const findFree = {
  name: 'find_sessions_without_suspect',
  text: `
SELECT i.session_id FROM unnest($1::uuid[]) AS i (session_id)
WHERE NOT EXISTS (SELECT FROM job_runs r WHERE r.session_id = i.session_id AND r.losses >= 2 OFFSET 0)`,
};

async function freeSessions(session: Session, sessionIds: readonly string[]): Promise<Set<string>> {
  const ids = async (statement: typeof findFree, given: readonly string[]) =>
    (await session.run(statement, [given])).map((row) => row.session_id as string);
  const locked = await ids(lockSessions, sessionIds);
  return new Set(locked.length > 0 ? await ids(findFree, locked) : []);
}

/** Within a transaction. At most one place of a session is filled, and none of one that holds a suspect. */
export async function claimSuspectsIn(session: Session, claim: Claim): Promise<ClaimedJob[]> {
  const free = await freeSessions(session, [...new Set(claim.places.map((place) => place.sessionId))]);
  const places = claim.places.filter((place) => free.delete(place.sessionId));
  return places.length > 0 ? claimJobs(session, { ...claim, places }) : [];
}

export function claimSuspects(database: Database, claim: Claim): Promise<ClaimedJob[]> {
  return database.transaction((session) => claimSuspectsIn(session, claim));
}
