/** Deletes jobs after their retention, in pages of 1,000, with outcomes, attempts, logs, checkpoints and steps. */

import { sameKey } from '../base/same-key.ts';
import { timestampOf } from '../base/times.ts';
import { stopReasonCodes } from '../batches/batch-stop-reasons.ts';
import type { Session, Statement } from '../driver/database.ts';
import { retentionOf } from './retentions.ts';

export const EXPIRE_PAGE = 1_000;

export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** The range of jobs scanned together. */
export interface ExpirePage {
  /** The page starts after this id. */
  readonly after: string;
  /** The page ends before this id: later jobs are too young in any case. */
  readonly before: string;
  readonly nowMs: number;
}

export interface Expired {
  /** Jobs deleted, and jobs scanned. */
  readonly jobs: number;
  readonly scanned: number;
  /** Where the next page begins; undefined after the last one. */
  readonly next: string | undefined;
  /** Rows deleted per table. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * `picked` selects ids in order, with each job's retention, parent and step. An open job has no outcome, so it is never
 * deleted. Kept as well: children of open jobs; results that a step of an open job took from the cache or from the
 * workflow that it retries, since they may still be read; and members of a batch that is being retried.
 */
function expireStatement(name: string, picked: string) {
  const alsoOf = (table: string, of = 'ended') =>
    `DELETE FROM ${table} t USING ${of} e WHERE ${sameKey('t.job_id', 'e.job_id')} RETURNING t.tableoid`;
  return {
    name,
    text: `
WITH now AS MATERIALIZED (SELECT $3::timestamptz AS time),
picked AS MATERIALIZED (${picked}),
ended AS (
  DELETE FROM job_outcomes o USING picked p, now
  WHERE ${sameKey('o.job_id', 'p.job_id')} AND o.end_time <= now.time - p.kept_ms * interval '1 ms'
    AND (p.parent_job_id IS NULL OR NOT EXISTS (SELECT FROM job_runs r WHERE r.job_id = p.parent_job_id OFFSET 0)
         AND NOT EXISTS (SELECT FROM batches b WHERE b.retry_of = p.parent_job_id AND b.seal_time IS NULL AND b.stop_reason = ${stopReasonCodes.NO} OFFSET 0))
    AND NOT EXISTS (
      SELECT FROM workflow_steps s WHERE s.child_job_id = p.job_id AND s.cache_time IS NOT NULL
        AND EXISTS (SELECT FROM job_runs r WHERE r.job_id = s.job_id OFFSET 0) OFFSET 0
    )
    AND NOT EXISTS (
      SELECT FROM workflow_steps s WHERE s.adopted_from = p.parent_job_id AND s.step = p.step AND s.adopted_from IS NOT NULL
        AND EXISTS (SELECT FROM job_runs r WHERE r.job_id = s.job_id OFFSET 0) OFFSET 0
    )
  RETURNING o.job_id, o.tableoid
),
records AS (${alsoOf('jobs')}),
attempts AS (${alsoOf('job_attempts')}),
logs AS (${alsoOf('attempt_logs')}),
checkpoints AS (${alsoOf('job_checkpoints')}),
workflows AS (${alsoOf('workflow_runs')}, t.job_id),
steps AS (${alsoOf('workflow_steps', 'workflows')}),
compensations AS (${alsoOf('step_compensations', 'workflows')}),
batches AS (${alsoOf('batches')}, t.job_id),
batch_counts AS (${alsoOf('batch_counts', 'batches')}),
gone AS (
  SELECT tableoid FROM ended UNION ALL SELECT tableoid FROM records
  UNION ALL SELECT tableoid FROM attempts UNION ALL SELECT tableoid FROM logs UNION ALL SELECT tableoid FROM checkpoints
  UNION ALL SELECT tableoid FROM workflows UNION ALL SELECT tableoid FROM steps
  UNION ALL SELECT tableoid FROM compensations
  UNION ALL SELECT tableoid FROM batches UNION ALL SELECT tableoid FROM batch_counts
)
SELECT (SELECT count(*)::int FROM ended) AS jobs, (SELECT count(*)::int FROM picked) AS picked,
       (SELECT job_id FROM picked ORDER BY job_id DESC LIMIT 1) AS last,
       (SELECT json_object_agg(name, rows)
        FROM (SELECT tableoid::regclass::text AS name, count(*)::int AS rows FROM gone GROUP BY 1) AS tables) AS rows`,
    row: { jobs: 'int4', picked: 'int4', last: 'uuid?', rows: 'json?' },
  } satisfies Statement;
}

// Compared as rows, for which only the index by lane is sorted: by the primary key other lanes' jobs would be read too.
const expireLaneStatement = expireStatement(
  'expire_lane_jobs',
  `SELECT job_id, parent_job_id, step, $5::bigint AS kept_ms FROM jobs
   WHERE (lane_id, job_id) > ($4, $1) AND (lane_id, job_id) < ($4, $2) ORDER BY lane_id, job_id LIMIT ${EXPIRE_PAGE}`,
);

function expireTableStatement(table: string) {
  // A name for the permanent table, none for a day's: a prepared statement would outlive its day.
  return expireStatement(
    table === 'jobs_default' ? 'expire_default_jobs' : '',
    `SELECT j.job_id, j.parent_job_id, j.step, ${retentionOf('l')} AS kept_ms
     FROM (SELECT job_id, parent_job_id, step, lane_id FROM ${table} WHERE job_id > $1 AND job_id < $2 ORDER BY job_id LIMIT ${EXPIRE_PAGE}) AS j
     JOIN lanes l ON ${sameKey('l.lane_id', 'j.lane_id')}`,
  );
}

async function expire(
  session: Session,
  statement: ReturnType<typeof expireStatement>,
  page: ExpirePage,
  rest: readonly number[],
): Promise<Expired> {
  const [row] = await session.run(statement, [page.after, page.before, timestampOf(page.nowMs * 1000), ...rest]);
  const scanned = row?.picked ?? 0;
  return {
    jobs: row?.jobs ?? 0,
    scanned,
    next: scanned === EXPIRE_PAGE ? (row?.last ?? undefined) : undefined,
    rows: (row?.rows ?? {}) as Record<string, number>,
  };
}

export function expireLane(session: Session, lane: ShortLane, page: ExpirePage): Promise<Expired> {
  return expire(session, expireLaneStatement, page, [lane.laneId, lane.keptMs]);
}

/** Of one partition of `jobs`, such as `jobs_default`. */
export function expirePartition(session: Session, table: string, page: ExpirePage): Promise<Expired> {
  return expire(session, expireTableStatement(table), page, []);
}

export interface ShortLane {
  readonly laneId: number;
  readonly keptMs: number;
}

const readShort = {
  name: 'read_short_lanes',
  text: `
SELECT l.lane_id, kept.ms FROM lanes l CROSS JOIN LATERAL (SELECT ${retentionOf('l')} AS ms) AS kept
WHERE l.lane_id > $1 AND kept.ms < $2 ORDER BY l.lane_id LIMIT 1000`,
  row: { lane_id: 'int4', ms: 'int8' },
} satisfies Statement;

/** Lanes whose retention is below `ms`, sorted by number; max 1,000. */
export async function readShortLanes(session: Session, afterLaneId: number, ms: number): Promise<ShortLane[]> {
  const rows = await session.run(readShort, [afterLaneId, ms]);
  return rows.map((row) => ({ laneId: row.lane_id, keptMs: row.ms }));
}
