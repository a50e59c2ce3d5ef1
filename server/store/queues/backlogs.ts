/** The bounds of queues, and the backlogs of queues that have bounds. */

import { startOf } from '../../domain/dispatch/rank.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { BacklogBounds } from '../../domain/queues/backlog.ts';
import type { BoundedQueue, QueueName, Waiting } from '../../engine/ports/queues.ts';
import type { Session, Statement } from '../driver/database.ts';
import { type QueueRow, queueKey } from './queues.ts';

/** Max lanes whose next job is read, from the lane with the most ready jobs. */
const MAX_LANES = 1_000;

const readBounded = {
  name: 'read_bounded_queues',
  text: `
SELECT namespace, name, max_backlog, max_backlog_age_ms FROM queues
WHERE (max_backlog > 0 OR max_backlog_age_ms IS NOT NULL) AND delete_time IS NULL AND (namespace, name) > ($1, $2)
ORDER BY namespace, name LIMIT $3`,
  row: { namespace: 'text', name: 'text', max_backlog: 'int4', max_backlog_age_ms: 'int8?' },
} satisfies Statement;

// One statement, so that both tables are read at the same moment. The first rows are the lanes with the most ready
// jobs. A caller that needs no age skips the read of each lane's next job.
const readWaiting = {
  name: 'read_backlog',
  text: `
WITH asked AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE ${queueKey('lanes.')} = $1 || '/' || $2 AND gates >= 0 OFFSET 0
),
recent AS MATERIALIZED (
  SELECT lane_id, sum(jobs) AS jobs FROM lane_count_changes WHERE state = ${stateCodes.READY} GROUP BY lane_id
),
ready AS MATERIALIZED (
  SELECT a.lane_id, coalesce(k.jobs, 0) + coalesce(r.jobs, 0) AS jobs
  FROM asked a
  LEFT JOIN LATERAL (
    SELECT jobs FROM lane_counts k WHERE k.lane_id = a.lane_id AND k.state = ${stateCodes.READY} OFFSET 0
  ) AS k ON true
  LEFT JOIN recent r ON r.lane_id = a.lane_id
),
longest AS MATERIALIZED (SELECT lane_id FROM ready WHERE $3 AND jobs > 0 ORDER BY jobs DESC LIMIT ${MAX_LANES})
SELECT (SELECT coalesce(sum(jobs), 0)::bigint FROM ready) AS jobs, h.rank, h.priority, h.create_time
FROM (VALUES (1)) AS one (row) LEFT JOIN (
  SELECT r.rank, j.priority, j.create_time FROM longest
  CROSS JOIN LATERAL (
    SELECT job_id, rank FROM job_runs
    WHERE job_runs.lane_id = longest.lane_id AND job_runs.state = ${stateCodes.READY} ORDER BY rank LIMIT 1
  ) AS r
  CROSS JOIN LATERAL (SELECT priority, create_time FROM jobs WHERE jobs.job_id = r.job_id OFFSET 0) AS j
) AS h ON true`,
  row: { jobs: 'int8', rank: 'int8?', priority: 'int2?', create_time: 'timestamptz?' },
} satisfies Statement;

export function boundsOf(row: Pick<QueueRow, 'max_backlog' | 'max_backlog_age_ms'>): BacklogBounds {
  return { maxBacklog: row.max_backlog, maxBacklogAgeMs: row.max_backlog_age_ms };
}

export async function readBoundedQueues(session: Session, after: QueueName, limit: number): Promise<BoundedQueue[]> {
  const rows = await session.run(readBounded, [after.namespace, after.name, limit]);
  return rows.map((row) => ({ namespace: row.namespace, name: row.name, ...boundsOf(row) }));
}

/** A deadline may have lowered a rank: no job has been ready for longer than it has existed. */
export async function readBacklog(
  session: Session,
  { namespace, name }: QueueName,
  withAge: boolean,
): Promise<Waiting> {
  const rows = await session.run(readWaiting, [namespace, name, withAge]);
  const since = rows.flatMap(({ rank, priority, create_time }) =>
    rank === null || priority === null || create_time === null ? [] : [Math.max(startOf(rank, priority), create_time)],
  );
  return { waiting: Math.max(0, rows[0]?.jobs ?? 0), oldestUs: since.length > 0 ? Math.min(...since) : undefined };
}
