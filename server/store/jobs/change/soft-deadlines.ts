/** Soft deadlines that have passed: which jobs missed theirs, and the events that say so. */
import { stateOf } from '../../../domain/jobs/job-state.ts';
import { type DeadlineReaction, reactionOf } from '../../../domain/jobs/soft-deadline.ts';
import type { ClosedDeadlines, DeadlineMiss } from '../../../engine/ports/jobs.ts';
import { sameKey } from '../../base/same-key.ts';
import { timestampOf } from '../../base/times.ts';
import type { Session, Statement } from '../../driver/database.ts';
import { groups, outboxInsert } from '../../events/outbox.ts';

// Nothing here waits: the deadline of a job that another transaction has locked stays open until the next round.
// A move from a state to itself is a missed deadline, in the outbox as in events.
const statement = {
  name: 'close_passed_deadlines',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
picked AS MATERIALIZED (
  SELECT job_id, time, reaction, priority FROM soft_deadlines
  WHERE open AND time <= (SELECT least(time, $2::timestamptz) FROM now) ORDER BY time LIMIT $1 FOR UPDATE SKIP LOCKED
),
locked AS MATERIALIZED (
  SELECT job_id FROM job_runs WHERE job_id = ANY(ARRAY(SELECT job_id FROM picked)) ORDER BY job_id
  FOR UPDATE SKIP LOCKED
),
without_run AS MATERIALIZED (
  SELECT p.job_id, p.time FROM picked p
  WHERE NOT EXISTS (SELECT FROM job_runs r WHERE r.job_id = p.job_id OFFSET 0)
),
open_ones AS (
  UPDATE job_runs r SET revision = r.revision + 1 FROM locked l WHERE ${sameKey('r.job_id', 'l.job_id')}
  RETURNING r.job_id, r.lane_id, r.state, r.rank, r.revision, r.attempt
),
ended AS (
  UPDATE job_outcomes o SET revision = o.revision + 1 FROM without_run w
  WHERE ${sameKey('o.job_id', 'w.job_id')} AND o.end_time > w.time
  RETURNING o.job_id, o.state, o.revision, o.attempt
),
missed AS MATERIALIZED (
  SELECT job_id, lane_id, state, rank, revision, attempt, state AS was_state FROM open_ones
  UNION ALL
  SELECT e.job_id, j.lane_id, e.state, NULL, e.revision, e.attempt, e.state FROM ended e
  CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = e.job_id OFFSET 0) AS j
),
looked_at AS (
  SELECT l.job_id, m.revision FROM (SELECT job_id FROM locked UNION ALL SELECT job_id FROM without_run) AS l
  LEFT JOIN missed m ON m.job_id = l.job_id
),
closed AS (
  UPDATE soft_deadlines d
  SET open = false, miss_revision = l.revision, miss_time = CASE WHEN l.revision IS NOT NULL THEN (SELECT time FROM now) END
  FROM looked_at l WHERE ${sameKey('d.job_id', 'l.job_id')}
  RETURNING d.job_id, d.reaction, d.priority
),
${groups({ from: 'missed', by: ['state', 'revision', 'attempt', 'was_state'] })},
published AS (${outboxInsert({ moved: true })})
SELECT c.reaction, c.priority, m.job_id, m.lane_id, m.state, m.rank, n.namespace FROM closed c
LEFT JOIN missed m ON m.job_id = c.job_id
LEFT JOIN lanes n ON ${sameKey('n.lane_id', 'm.lane_id')}`,
  row: {
    reaction: 'int2',
    priority: 'int2',
    job_id: 'uuid?',
    lane_id: 'int4?',
    state: 'int2?',
    rank: 'int8?',
    namespace: 'text?',
  },
} satisfies Statement;

export async function closePassedDeadlines(
  session: Session,
  limit: number,
  latestUs: number,
): Promise<ClosedDeadlines> {
  const rows = await session.run(statement, [limit, timestampOf(latestUs)]);
  const missed = rows.flatMap(({ job_id: jobId, lane_id: laneId, namespace, state, rank, reaction, priority }) =>
    jobId === null || laneId === null || namespace === null || state === null
      ? []
      : {
          jobId,
          laneId,
          namespace,
          state: stateOf(state),
          rank: rank ?? undefined,
          reaction: reactionOf(reaction) as DeadlineReaction,
          priority,
        },
  );
  return { count: rows.length, missed };
}

const readMissed = {
  name: 'read_deadline_misses',
  text: `
SELECT d.job_id, d.miss_time, d.miss_revision FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (
  SELECT job_id, miss_time, miss_revision FROM soft_deadlines WHERE soft_deadlines.job_id = i.job_id OFFSET 0
) AS d
WHERE d.miss_time IS NOT NULL`,
  row: { job_id: 'uuid', miss_time: 'timestamptz', miss_revision: 'int4?' },
} satisfies Statement;

export async function readDeadlineMisses(
  session: Session,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, DeadlineMiss>> {
  const rows = await session.run(readMissed, [jobIds]);
  return new Map(rows.map((row) => [row.job_id, { timeUs: row.miss_time, revision: row.miss_revision ?? 0 }]));
}
