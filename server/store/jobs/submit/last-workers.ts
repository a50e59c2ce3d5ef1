/** The worker of a job's last attempt, for jobs that prefer the same worker. */

import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';

// Between two attempts the run names no session: then the last closed attempt does.
const readMany = {
  name: 'read_last_workers',
  text: `
SELECT i.job_id, s.worker_name
FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j
JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
LEFT JOIN job_outcomes o ON ${sameKey('o.job_id', 'i.job_id')}
LEFT JOIN LATERAL (
  SELECT session_id FROM job_attempts
  WHERE job_attempts.job_id = i.job_id AND o.session_id IS NULL AND r.session_id IS NULL
  ORDER BY job_attempts.attempt DESC LIMIT 1
) AS a ON true
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'coalesce(o.session_id, r.session_id, a.session_id)')}
WHERE n.namespace IS NOT DISTINCT FROM $2`,
  row: { job_id: 'uuid', worker_name: 'text?' },
} satisfies Statement;

export async function readLastWorkers(
  session: Session,
  namespace: string,
  jobIds: readonly string[],
): Promise<Map<string, string | undefined>> {
  const rows = await session.run(readMany, [jobIds, namespace]);
  return new Map(rows.map((row) => [row.job_id, row.worker_name ?? undefined]));
}
