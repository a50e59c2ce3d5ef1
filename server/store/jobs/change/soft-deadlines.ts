/** Soft deadlines that have passed: which jobs missed theirs, and the events that say so. */
import { type DeadlineReaction, deadlineReactions } from '../../../domain/jobs/soft-deadline.ts';
import type { MissedDeadline, PassedDeadline, SoftDeadlineStore } from '../../../engine/ports/jobs.ts';
import { sameKey } from '../../base/same-key.ts';
import { timestampOf } from '../../base/times.ts';
import type { Session, Statement } from '../../driver/database.ts';
import { groups, outboxInsert } from '../../events/outbox.ts';

const takeSome = {
  name: 'take_passed_deadlines',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
picked AS MATERIALIZED (
  SELECT job_id, time, reaction, priority FROM soft_deadlines
  WHERE open AND time <= (SELECT least(time, $2::timestamptz) FROM now) ORDER BY time LIMIT $1 FOR UPDATE SKIP LOCKED
)
SELECT p.job_id, p.time, p.reaction, p.priority, n.namespace FROM picked p
LEFT JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = p.job_id OFFSET 0) AS j ON true
LEFT JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}`,
  row: { job_id: 'uuid', time: 'timestamptz', reaction: 'int2', priority: 'int2', namespace: 'text?' },
} satisfies Statement;

// A move from a state to itself is a missed deadline, in the outbox as in events. The revision of an ended job stays: no
// other event of it has the next one.
const closeSome = {
  name: 'close_passed_deadlines',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
passed AS MATERIALIZED (SELECT job_id, time FROM soft_deadlines WHERE job_id = ANY($1::uuid[])),
open_ones AS (
  UPDATE job_runs r SET revision = r.revision + 1 FROM passed p WHERE ${sameKey('r.job_id', 'p.job_id')}
  RETURNING r.job_id, r.lane_id, r.state, r.revision, r.attempt
),
ended AS (
  SELECT p.job_id, j.lane_id, o.state, o.revision + 1 AS revision, o.attempt FROM passed p
  CROSS JOIN LATERAL (
    SELECT state, revision, attempt, end_time FROM job_outcomes WHERE job_outcomes.job_id = p.job_id OFFSET 0
  ) AS o
  CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = p.job_id OFFSET 0) AS j
  WHERE o.end_time > p.time
),
missed AS MATERIALIZED (
  SELECT *, state AS was_state, true AS is_open FROM open_ones UNION ALL SELECT *, state, false FROM ended
),
closed AS (
  UPDATE soft_deadlines d
  SET open = false, miss_time = CASE WHEN d.job_id IN (SELECT job_id FROM missed) THEN (SELECT time FROM now) END
  FROM passed p WHERE ${sameKey('d.job_id', 'p.job_id')}
),
${groups({ from: 'missed', by: ['state', 'revision', 'attempt', 'was_state'] })},
published AS (${outboxInsert({ moved: true })})
SELECT job_id, lane_id, is_open FROM missed`,
  row: { job_id: 'uuid', lane_id: 'int4', is_open: 'bool' },
} satisfies Statement;

const reactions = new Map(
  Object.entries(deadlineReactions).map(([name, code]) => [code as number, name as DeadlineReaction]),
);

async function takePassed(session: Session, limit: number, latestUs: number): Promise<PassedDeadline[]> {
  const rows = await session.run(takeSome, [limit, timestampOf(latestUs)]);
  return rows.map(({ job_id, time, reaction, priority, namespace }) => ({
    jobId: job_id,
    // Without a record the job has been deleted, and is found in no namespace.
    namespace: namespace ?? '',
    timeUs: time,
    reaction: reactions.get(reaction) as DeadlineReaction,
    priority,
  }));
}

async function closePassed(session: Session, jobIds: readonly string[]): Promise<MissedDeadline[]> {
  const rows = await session.run(closeSome, [jobIds]);
  return rows.map(({ job_id, lane_id, is_open }) => ({ jobId: job_id, laneId: lane_id, isOpen: is_open }));
}

export function softDeadlineStore(session: Session): SoftDeadlineStore {
  return {
    takePassed: (limit, latestUs) => takePassed(session, limit, latestUs),
    closePassed: (jobIds) => closePassed(session, jobIds),
  };
}
