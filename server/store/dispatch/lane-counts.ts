/**
 * How many open jobs each lane has in each state, without a count of the jobs. Every statement that makes, moves or
 * ends runs adds a row to `lane_count_changes` for each lane and state that it changed. That is an insert, so it never
 * waits for another transaction. `foldCounts` adds the rows up in `lane_counts`; the sum of both tables is exact at any
 * moment. Assignments are counted by the minute as well: each statement that assigns jobs adds one row, and nothing is
 * subtracted.
 */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Session, Statement } from '../driver/database.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

/** The state under which a run is counted: all states in which a session holds it are one. */
export function countedAs(state: string): string {
  return `CASE WHEN ${state} IN (${RUNNING}, ${CANCELLING}) THEN ${ASSIGNED} ELSE ${state} END`;
}

/** A CTE that adds changes; `changes` is a query for rows of `lane_id`, `state` (see `countedAs`) and `jobs`. */
export function addCounts(changes: string): string {
  return `counted AS (
  INSERT INTO lane_count_changes (lane_id, state, jobs)
  SELECT lane_id, state, jobs FROM (${changes}) AS changes WHERE jobs <> 0
)`;
}

/** Max rows folded per step. */
export const FOLD_ROWS = 5_000;

// One step at a time: a replica that finds another one folding leaves it to that one. Rows that are being written
// meanwhile are folded the next time.
const foldSome = {
  name: 'fold_lane_counts',
  text: `
WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(7302419) AS mine),
picked AS MATERIALIZED (
  SELECT ctid FROM lane_count_changes WHERE (SELECT mine FROM turn) LIMIT ${FOLD_ROWS} FOR UPDATE SKIP LOCKED
),
gone AS (
  DELETE FROM lane_count_changes c USING picked p WHERE c.ctid = p.ctid RETURNING c.lane_id, c.state, c.jobs
),
summed AS (
  SELECT lane_id, state, sum(jobs) AS jobs, coalesce(sum(jobs) FILTER (WHERE state = ${ASSIGNED} AND jobs > 0), 0) AS starts
  FROM gone GROUP BY lane_id, state
),
folded AS (
  INSERT INTO lane_counts AS k (lane_id, state, jobs, minute, starts)
  SELECT lane_id, state, jobs, (SELECT floor(extract(epoch FROM muster_now()) / 60)), starts
  FROM summed WHERE jobs <> 0 OR starts > 0 ORDER BY lane_id, state
  ON CONFLICT (lane_id, state) DO UPDATE SET jobs = k.jobs + excluded.jobs, minute = excluded.minute,
    starts = excluded.starts + CASE WHEN k.minute = excluded.minute THEN k.starts ELSE 0 END,
    starts_before = CASE excluded.minute - k.minute WHEN 0 THEN k.starts_before WHEN 1 THEN k.starts ELSE 0 END
)
SELECT count(*)::int AS rows FROM gone`,
  row: { rows: 'int4' },
} satisfies Statement;

/** One step of bounded work. Returns the number of folded changes; `FOLD_ROWS` means that there may be more. */
export async function foldCounts(session: Session): Promise<number> {
  const [row] = await session.run(foldSome, []);
  return row?.rows ?? 0;
}
