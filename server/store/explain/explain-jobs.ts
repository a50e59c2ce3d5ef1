/** Data of a job's explanation: its run, the gates of its lane, and its position in the queue. */
import { type Blocker, MAX_BLOCKERS } from '../../domain/explain/constraint.ts';
import type { OpenBreaker } from '../../domain/explain/job-constraints.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type { ExplainedRun, LineQuery, QueueLanes } from '../../engine/ports/explanations.ts';
import type { QueueName } from '../../engine/ports/queues.ts';
import { sameKey } from '../base/same-key.ts';
import { claimedSingly, gates } from '../dispatch/gated-lanes.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { queueKey } from '../queues/queues.ts';

const { SCHEDULED, READY, ASSIGNED } = stateCodes;

const readOne = {
  name: 'read_explained_run',
  text: `
SELECT r.*, n.queue, n.suspect, n.at_limit, n.gates & ~${claimedSingly}::smallint AS gates, q.pause_reason, q.pause_time AS queue_pause_time,
       b.name AS breaker, b.open_time, b.probe_time, b.probe_job_id, p.session_id AS probe_session_id, p.assign_time AS probe_assign_time,
       s.beat_time, a.end_time AS close_time, (SELECT muster_now()) AS now
FROM (
  SELECT job_id, state, lane_id, rank, reason, limit_id, pause_time, assign_time, cancel_time, session_id, attempt, exhausted,
         CASE WHEN paused_with_parent THEN parent_job_id END AS paused_with,
         CASE state WHEN ${SCHEDULED} THEN due_time ELSE run_time END AS next_time
  FROM job_runs WHERE job_id = ANY(ARRAY[$1::uuid])
) AS r
JOIN lanes n ON ${sameKey('n.lane_id', 'r.lane_id')}
LEFT JOIN queues q ON n.gates & ${gates.queuePaused} <> 0
  AND ${sameKey('q.namespace', 'n.namespace')} AND ${sameKey('q.name', 'n.queue')}
LEFT JOIN LATERAL (
  SELECT name, open_time, probe_time, probe_job_id FROM circuit_breakers c
  WHERE c.namespace = n.namespace AND c.name = n.breaker AND c.state <> 1 AND n.gates & ${gates.breakerOpen} <> 0 OFFSET 0
) AS b ON true
LEFT JOIN job_runs p ON ${sameKey('p.job_id', 'b.probe_job_id')}
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'r.session_id')}
LEFT JOIN LATERAL (
  SELECT end_time FROM job_attempts WHERE job_attempts.job_id = r.job_id ORDER BY job_attempts.attempt DESC LIMIT 1
) AS a ON true`,
  row: {
    job_id: 'uuid',
    state: 'int2',
    lane_id: 'int4',
    rank: 'int8',
    reason: 'text?',
    limit_id: 'uuid?',
    pause_time: 'timestamptz?',
    exhausted: 'bool?',
    paused_with: 'uuid?',
    assign_time: 'timestamptz?',
    cancel_time: 'timestamptz?',
    session_id: 'uuid?',
    attempt: 'int4',
    next_time: 'timestamptz?',
    queue: 'text',
    suspect: 'bool',
    at_limit: 'bool',
    gates: 'int2',
    pause_reason: 'text?',
    queue_pause_time: 'timestamptz?',
    breaker: 'text?',
    open_time: 'timestamptz?',
    probe_time: 'timestamptz?',
    probe_job_id: 'uuid?',
    probe_session_id: 'uuid?',
    probe_assign_time: 'timestamptz?',
    beat_time: 'timestamptz?',
    close_time: 'timestamptz?',
    now: 'timestamptz',
  },
} satisfies Statement;

/** SQL of the jobs started in a minute and the one before it, from the row of a lane that counts them. */
const startsOf = (k: string) =>
  `CASE now.minute - ${k}.minute WHEN 0 THEN ${k}.starts + ${k}.starts_before WHEN 1 THEN ${k}.starts ELSE 0 END`;

// One statement, so that both tables of counts are read at the same moment.
const readLanes = {
  name: 'read_lanes_of_line',
  text: `
WITH now AS MATERIALIZED (
  SELECT floor(seconds / 60)::bigint AS minute, ((60 + seconds - 60 * floor(seconds / 60)) * 1000000)::bigint AS window_us
  FROM (SELECT extract(epoch FROM muster_now()) AS seconds) AS one
),
asked AS MATERIALIZED (
  SELECT lane_id, suspect, at_limit, gates & ~${claimedSingly}::smallint AS gates FROM lanes
  WHERE ${queueKey('lanes.')} = $1 || '/' || $2 AND gates >= 0 OFFSET 0
),
recent AS MATERIALIZED (
  SELECT lane_id, coalesce(sum(jobs) FILTER (WHERE state = ${READY}), 0) AS ready,
         coalesce(sum(jobs) FILTER (WHERE state = ${ASSIGNED} AND jobs > 0), 0) AS starts
  FROM lane_count_changes GROUP BY lane_id
),
counted AS (
  SELECT a.*, coalesce(w.jobs, 0) + coalesce(r.ready, 0) AS ready, coalesce(${startsOf('h')}, 0) + coalesce(r.starts, 0) AS starts
  FROM asked a CROSS JOIN now
  LEFT JOIN LATERAL (SELECT * FROM lane_counts WHERE lane_counts.lane_id = a.lane_id AND state = ${READY} OFFSET 0) AS w ON true
  LEFT JOIN LATERAL (SELECT * FROM lane_counts WHERE lane_counts.lane_id = a.lane_id AND state = ${ASSIGNED} OFFSET 0) AS h ON true
  LEFT JOIN recent r ON r.lane_id = a.lane_id
)
SELECT c.lane_id, c.suspect, c.at_limit, c.gates, c.starts::bigint AS starts, now.window_us
FROM counted c CROSS JOIN now WHERE c.ready > 0 OR c.starts > 0 OR c.lane_id = $3
ORDER BY c.lane_id = $3 DESC, c.ready DESC LIMIT $4`,
  row: { lane_id: 'int4', suspect: 'bool', at_limit: 'bool', gates: 'int2', starts: 'int8', window_us: 'int8' },
} satisfies Statement;

// Reads, per lane, the range of its index below the job, without a read of the table. For a job that waits at the limit
// of its key, it also reads the key's deferred jobs, which are in none of these lanes. A range of states instead of
// `=`: the planner would match an equality with the index of ready jobs. No more rows are read than are to be counted.
const ownRun = `own AS MATERIALIZED (
  SELECT job_id, rank, limit_id FROM job_runs WHERE job_id = ANY(ARRAY[$1::uuid]) AND state BETWEEN ${READY} AND ${READY}
)`;
const isBefore = '(r.rank, r.job_id) < (own.rank, own.job_id)';
const inLanes = (order = '') => `
  SELECT r.job_id, r.rank FROM own CROSS JOIN unnest($2::int[]) AS l (lane_id) CROSS JOIN LATERAL (
    SELECT r.job_id, r.rank FROM job_runs r
    WHERE r.lane_id = l.lane_id AND r.state = ${READY} AND ${isBefore} ${order} LIMIT $4
  ) AS r`;
const ofKey = (order = '') => `
  SELECT r.job_id, r.rank FROM own CROSS JOIN LATERAL (
    SELECT r.job_id, r.rank FROM job_runs r
    WHERE $3::boolean AND r.limit_id = own.limit_id AND r.limit_mark IS NOT NULL AND r.state BETWEEN ${READY} AND ${READY} AND r.rank <= own.rank AND ${isBefore}
      AND r.lane_id <> ALL($2::int[]) ${order} LIMIT $4
  ) AS r`;

const countSome = {
  name: 'count_before_in_line',
  text: `
WITH ${ownRun},
before AS (SELECT FROM (${inLanes()} UNION ALL ${ofKey()}) AS found LIMIT $4)
SELECT (SELECT count(*)::int FROM before) AS before FROM own`,
  row: { before: 'int4' },
} satisfies Statement;

const readSome = {
  name: 'read_first_in_line',
  text: `
WITH ${ownRun},
found AS MATERIALIZED (
  SELECT * FROM (
    SELECT * FROM (${inLanes('ORDER BY r.rank, r.job_id')}) AS of_lanes
    UNION ALL SELECT * FROM (${ofKey('ORDER BY r.state, r.rank, r.job_id')}) AS of_key
  ) AS found ORDER BY rank, job_id LIMIT $4
)
SELECT f.job_id, j.create_time FROM found f
CROSS JOIN LATERAL (SELECT create_time FROM jobs WHERE jobs.job_id = f.job_id OFFSET 0) AS j
ORDER BY f.rank, f.job_id`,
  row: { job_id: 'uuid', create_time: 'timestamptz' },
} satisfies Statement;

function breakerOf(row: RowOf<typeof readOne>): OpenBreaker | undefined {
  if (row.breaker === null) return undefined;
  const { probe_job_id: jobId, probe_session_id: sessionId, probe_assign_time: sinceUs } = row;
  const blockers = jobId === null ? [] : [{ jobId, sessionId: sessionId ?? undefined, sinceUs: sinceUs ?? undefined }];
  return {
    name: row.breaker,
    sinceUs: row.open_time ?? undefined,
    probeTimeUs: row.probe_time ?? undefined,
    probe: { list: blockers, count: blockers.length },
  };
}

export async function readRun(session: Session, jobId: string): Promise<ExplainedRun | undefined> {
  const [row] = await session.run(readOne, [jobId]);
  if (!row) return undefined;
  const isPaused = row.pause_reason !== null;
  return {
    state: stateOf(row.state),
    attempt: row.attempt,
    laneId: row.lane_id,
    rank: row.rank,
    reason: row.reason,
    limitId: row.limit_id ?? undefined,
    dueTimeUs: row.next_time ?? undefined,
    pauseTimeUs: row.pause_time ?? undefined,
    exhausted: row.exhausted === true,
    pausedWith: row.paused_with ?? undefined,
    assignTimeUs: row.assign_time ?? undefined,
    cancelTimeUs: row.cancel_time ?? undefined,
    closeTimeUs: row.close_time ?? undefined,
    beatTimeUs: row.beat_time ?? undefined,
    suspect: row.suspect,
    atLimit: row.at_limit,
    gates: row.gates,
    queue: isPaused
      ? { name: row.queue, reason: row.pause_reason, sinceUs: row.queue_pause_time ?? undefined }
      : undefined,
    breaker: breakerOf(row),
    nowUs: row.now,
  };
}

export async function readQueueLanes(
  session: Session,
  { namespace, name }: QueueName,
  laneId: number,
  limit: number,
): Promise<QueueLanes> {
  const rows = await session.run(readLanes, [namespace, name, laneId, limit + 1]);
  const lanes = rows.slice(0, limit).map((row) => ({
    laneId: row.lane_id,
    suspect: row.suspect,
    atLimit: row.at_limit,
    gates: row.gates,
    starts: row.starts,
  }));
  return { lanes, isCut: rows.length > limit, windowUs: rows[0]?.window_us ?? 0 };
}

const lineParameters = ({ jobId, laneIds, ofKey: isOfKey }: LineQuery, most: number) => [jobId, laneIds, isOfKey, most];

export async function countBefore(session: Session, query: LineQuery, most: number): Promise<number | undefined> {
  const [row] = await session.run(countSome, lineParameters(query, most));
  return row?.before;
}

export async function readFirst(session: Session, query: LineQuery): Promise<Blocker[]> {
  const rows = await session.run(readSome, lineParameters(query, MAX_BLOCKERS));
  return rows.map((row) => ({ jobId: row.job_id, sinceUs: row.create_time }));
}
