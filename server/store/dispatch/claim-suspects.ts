/** Sessions that may get a suspect: a job that may crash its worker. No session holds two suspects. */
import type { Permit } from '../../engine/ports/dispatch.ts';
import type { Session, Statement } from '../driver/database.ts';

// NO KEY UPDATE excludes other claims of suspects for these sessions, but no claim of other jobs. It never waits.
const lockSessions = {
  name: 'lock_sessions_for_suspects',
  text: `
SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
  row: { session_id: 'uuid' },
} satisfies Statement;

// A separate statement: what an earlier claim assigned is younger than the snapshot that the lock was taken under.
// `consecutiveLosses` decides which job is a suspect, as in `isSuspect`.
const findFree = {
  name: 'find_sessions_without_suspect',
  text: `
SELECT i.session_id FROM unnest($1::uuid[]) AS i (session_id)
WHERE NOT EXISTS (SELECT FROM job_runs r WHERE r.session_id = i.session_id AND r.consecutive_losses >= 2 OFFSET 0)`,
  row: { session_id: 'uuid' },
} satisfies Statement;

async function freeSessions(session: Session, sessionIds: readonly string[]): Promise<Set<string>> {
  const ids = async (statement: typeof findFree, given: readonly string[]) =>
    (await session.run(statement, [given])).map((row) => row.session_id);
  const locked = await ids(lockSessions, sessionIds);
  return new Set(locked.length > 0 ? await ids(findFree, locked) : []);
}

/** One permit of each session that holds no suspect and has no claim of suspects under way. */
export async function freePermits(session: Session, permits: readonly Permit[]): Promise<Permit[]> {
  const free = await freeSessions(session, [...new Set(permits.map((permit) => permit.sessionId))]);
  return permits.filter((permit) => free.delete(permit.sessionId));
}
