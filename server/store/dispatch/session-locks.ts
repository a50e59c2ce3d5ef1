/** Locks on sessions, on which claims of suspects, and claims of jobs that take resources, take turns. */
import type { SessionResources } from '../../engine/ports/dispatch.ts';
import type { Session, Statement } from '../driver/database.ts';

// NO KEY UPDATE excludes other claims of suspects for these sessions, but no claim of other jobs. It never waits.
const suspectLock = {
  name: 'lock_sessions_for_suspects',
  text: `
SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
  row: { session_id: 'uuid' },
} satisfies Statement;

// `consecutiveLosses` decides which job is a suspect, as in `isSuspect`.
const findFree = {
  name: 'find_sessions_without_suspect',
  text: `
SELECT i.session_id FROM unnest($1::uuid[]) AS i (session_id)
WHERE NOT EXISTS (SELECT FROM job_runs r WHERE r.session_id = i.session_id AND r.consecutive_losses >= 2 OFFSET 0)`,
  row: { session_id: 'uuid' },
} satisfies Statement;

export async function lockForSuspects(session: Session, sessionIds: readonly string[]): Promise<string[]> {
  return (await session.run(suspectLock, [sessionIds])).map((row) => row.session_id);
}

export async function findWithoutSuspect(session: Session, sessionIds: readonly string[]): Promise<string[]> {
  return (await session.run(findFree, [sessionIds])).map((row) => row.session_id);
}

// NO KEY UPDATE excludes other claims of this kind, and claims of suspects, for these sessions. It never waits.
const demandLock = {
  name: 'lock_sessions_for_demands',
  text: `
SELECT session_id, resources FROM sessions
WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR NO KEY UPDATE SKIP LOCKED`,
  row: { session_id: 'uuid', resources: 'text' },
} satisfies Statement;

export async function lockForDemands(session: Session, sessionIds: readonly string[]): Promise<SessionResources[]> {
  const rows = await session.run(demandLock, [sessionIds]);
  return rows.map((row) => ({ sessionId: row.session_id, resources: JSON.parse(row.resources) }));
}
