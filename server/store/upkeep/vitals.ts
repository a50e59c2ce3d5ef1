/** Vital signs of the deployment, from existing counts: queues, sessions, and the state of the database. */

import { startOf } from '../../domain/dispatch/rank.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { QueueCounts } from '../../engine/ports/queues.ts';
import type { LineHead, SessionVitals, VitalsStore } from '../../engine/ports/vitals.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { readLimitVitals } from './limit-vitals.ts';
import { countDaysAhead } from './partitions.ts';

/** Counted states of a queue's jobs. All states in which a session holds a job count as ASSIGNED. */
const counted = ['BLOCKED', 'SCHEDULED', 'READY', 'PAUSED', 'ASSIGNED', 'WAITING'] as const;

/** Tables whose rows come and go with the jobs: dead rows slow the hot statements down. */
const HOT_TABLES = ['job_runs', 'lane_counts', 'lane_count_changes', 'sessions', 'job_checkpoints'];

// Both tables in one statement, so that they are read at the same moment.
const laneCounts = `
counts AS MATERIALIZED (
  SELECT lane_id, state, sum(jobs) AS jobs FROM (
    SELECT lane_id, state, jobs FROM lane_counts WHERE jobs <> 0
    UNION ALL SELECT lane_id, state, jobs FROM lane_count_changes
  ) AS parts GROUP BY lane_id, state HAVING sum(jobs) <> 0
)`;

const sumOf = (state: (typeof counted)[number]) =>
  `coalesce(sum(jobs) FILTER (WHERE state = ${stateCodes[state]}), 0)::bigint`;

// A queue without open jobs has a row too: its lines must not break off in a chart.
const readQueues = {
  name: 'read_queue_vitals',
  text: `
WITH ${laneCounts},
by_queue AS MATERIALIZED (
  SELECT l.namespace, l.queue, c.state, c.jobs
  FROM counts c CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = c.lane_id OFFSET 0) AS l
  UNION ALL SELECT namespace, name, NULL, 0 FROM queues WHERE delete_time IS NULL
),
summed AS (
  SELECT namespace, queue, sum(jobs) AS jobs, ${counted.map((state) => `${sumOf(state)} AS jobs_${state}`).join(', ')}
  FROM by_queue GROUP BY namespace, queue
)
SELECT s.*, coalesce(q.paused, false) AS is_paused, count(*) OVER ()::int AS all_queues,
       ${counted.map((state) => `sum(jobs_${state}) OVER ()::bigint AS all_${state}`).join(', ')}
FROM summed s LEFT JOIN LATERAL (
  SELECT paused FROM queues WHERE queues.namespace = s.namespace AND queues.name = s.queue OFFSET 0
) AS q ON true
ORDER BY s.jobs DESC, s.namespace, s.queue LIMIT $1`,
  row: {
    namespace: 'text',
    queue: 'text',
    jobs: 'numeric',
    jobs_blocked: 'int8',
    jobs_scheduled: 'int8',
    jobs_ready: 'int8',
    jobs_paused: 'int8',
    jobs_assigned: 'int8',
    jobs_waiting: 'int8',
    is_paused: 'bool',
    all_queues: 'int4',
    all_blocked: 'int8',
    all_scheduled: 'int8',
    all_ready: 'int8',
    all_paused: 'int8',
    all_assigned: 'int8',
    all_waiting: 'int8',
  },
} satisfies Statement;

const readLineHeads = {
  name: 'read_line_heads',
  text: `
WITH ${laneCounts},
longest AS MATERIALIZED (SELECT lane_id FROM counts WHERE state = ${stateCodes.READY} ORDER BY jobs DESC LIMIT $1)
SELECT l.namespace, l.queue, h.rank, j.priority, j.create_time
FROM longest
CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = longest.lane_id OFFSET 0) AS l
CROSS JOIN LATERAL (
  SELECT job_id, rank FROM job_runs
  WHERE job_runs.lane_id = longest.lane_id AND job_runs.state = ${stateCodes.READY} ORDER BY rank LIMIT 1
) AS h
CROSS JOIN LATERAL (SELECT priority, create_time FROM jobs WHERE jobs.job_id = h.job_id OFFSET 0) AS j`,
  row: { namespace: 'text', queue: 'text', rank: 'int8', priority: 'int2', create_time: 'timestamptz' },
} satisfies Statement;

const readSessions = {
  name: 'read_session_vitals',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
open AS MATERIALIZED (
  SELECT slots, CASE WHEN lease_until <= now.time THEN 'lapsed' WHEN beats - ping_echo >= $1 THEN 'deaf'
                     WHEN draining OR drain_wanted THEN 'draining' ELSE 'connected' END AS condition
  FROM sessions, now WHERE state <> 3 AND state = 1
)
SELECT ${['lapsed', 'deaf', 'draining', 'connected'].map((one) => `count(*) FILTER (WHERE condition = '${one}')::int AS ${one}`).join(', ')},
       coalesce(sum(slots) FILTER (WHERE condition <> 'lapsed'), 0)::bigint AS slots
FROM open`,
  row: { lapsed: 'int4', deaf: 'int4', draining: 'int4', connected: 'int4', slots: 'int8' },
} satisfies Statement;

// A transaction that writes keeps dead rows too, as does a prepared transaction that was forgotten.
const readSnapshot = {
  name: 'read_oldest_snapshot',
  text: `
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(since)) * 1000, 0)::bigint AS age_ms FROM (
  SELECT xact_start AS since FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
  UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
) AS open`,
  row: { age_ms: 'int8' },
} satisfies Statement;

const readTables = {
  name: 'read_table_vitals',
  text: `
SELECT relname, n_live_tup AS live, n_dead_tup AS dead FROM pg_stat_user_tables
WHERE schemaname = 'muster' AND relname IN (${HOT_TABLES.map((table) => `'${table}'`).join(', ')}) ORDER BY relname`,
  row: { relname: 'name', live: 'int8', dead: 'int8' },
} satisfies Statement;

type QueueVitalsRow = RowOf<typeof readQueues>;

const lowerOf = <State extends string>(state: State) => state.toLowerCase() as Lowercase<State>;

function countsOf(row: QueueVitalsRow, prefix: 'jobs_' | 'all_' = 'jobs_'): QueueCounts {
  return Object.fromEntries(counted.map((state) => [state, row[`${prefix}${lowerOf(state)}`]]));
}

/** Counts of all queues that are not among these. */
function othersOf(rows: readonly QueueVitalsRow[]): QueueCounts | undefined {
  const [first] = rows;
  if (!first || first.all_queues <= rows.length) return undefined;
  const all = countsOf(first, 'all_');
  const listed = rows.map((row) => countsOf(row));
  const left = (state: (typeof counted)[number]) =>
    listed.reduce((sum, counts) => sum - (counts[state] ?? 0), all[state] ?? 0);
  return Object.fromEntries(counted.map((state) => [state, left(state)]));
}

/** A deadline may have lowered the rank: no job has been ready for longer than it has existed. */
function headOf({ namespace, queue, rank, priority, create_time }: RowOf<typeof readLineHeads>): LineHead {
  return { namespace, name: queue, readyUs: Math.max(startOf(rank, priority), create_time) };
}

export function vitalsStore(session: Session): VitalsStore {
  return {
    async readQueues(limit) {
      const rows = await session.run(readQueues, [limit]);
      const queues = rows.map((row) => ({
        namespace: row.namespace,
        name: row.queue,
        paused: row.is_paused,
        counts: countsOf(row),
      }));
      return { queues, others: othersOf(rows) };
    },
    readLineHeads: async (limit) => (await session.run(readLineHeads, [limit])).map(headOf),
    readLimits: () => readLimitVitals(session),
    readSessions: async (deafAfterBeats) => (await session.run(readSessions, [deafAfterBeats]))[0] as SessionVitals,
    readOldestSnapshotMs: async () => (await session.run(readSnapshot, []))[0]?.age_ms ?? 0,
    countDaysAhead: () => countDaysAhead(session),
    async readTables() {
      const rows = await session.run(readTables, []);
      return rows.map((row) => ({ table: row.relname, liveRows: row.live, deadRows: row.dead }));
    },
  };
}
