/** Resources taken by the jobs that sessions hold: counted from the jobs, so that nothing has to be given back. */
import { parseDemands } from '../../domain/dispatch/placement.ts';
import type { Taken } from '../../domain/dispatch/resources.ts';
import type { Session, Statement } from '../driver/database.ts';

// Demands beyond labels are a list, see `canonicalDemands`. Matched by the text, not by the bit of the lane, which a
// release without resources does not set. A job keeps its lane for as long as a session holds it.
const readMany = {
  name: 'read_taken_resources',
  text: `
SELECT h.session_id, h.jobs, n.demands
FROM unnest($1::uuid[]) AS i (session_id)
CROSS JOIN LATERAL (
  SELECT r.session_id, r.lane_id, count(*)::int AS jobs FROM job_runs r WHERE r.session_id = i.session_id
  GROUP BY r.session_id, r.lane_id OFFSET 0
) AS h
CROSS JOIN LATERAL (
  SELECT l.demands FROM lanes l WHERE l.lane_id = h.lane_id AND l.demands LIKE '[%' OFFSET 0
) AS n`,
  row: { session_id: 'uuid', jobs: 'int4', demands: 'text' },
} satisfies Statement;

export async function readTaken(session: Session, sessionIds: readonly string[]): Promise<Map<string, Taken[]>> {
  const taken = new Map<string, Taken[]>();
  for (const { session_id: sessionId, jobs, demands } of await session.run(readMany, [sessionIds])) {
    const { resources = {} } = parseDemands(demands);
    taken.set(sessionId, [...(taken.get(sessionId) ?? []), { resources, jobs }]);
  }
  return taken;
}
