/**
 * Sources of a list of jobs. Each yields ids below $9 and from $10 on, newest first: $11 of them, or $11 per lane if by
 * lane.
 * A source defines `ids`, the ids read; `scanned`, those up to which nothing is missing; and `rest`: a row with the id
 * before which the source continues, or no row at its end. Comparing rows and ordering by both columns leaves only the
 * index with both to read. The plain comparison next to it excludes the days that hold nothing of the range.
 */
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import type { JobSource } from '../../../engine/ports/jobs.ts';

const { SUCCEEDED } = stateCodes;
const range = 'job_id < $9::uuid AND job_id >= $10::uuid';

// Open jobs are read by their primary key, whatever the states: waiting jobs come newest first, like all others.
const byState = `
ids AS MATERIALIZED (
  SELECT job_id FROM (
    (SELECT job_id FROM job_runs
     WHERE (SELECT min(state) FROM unnest($4::smallint[]) AS wanted (state)) < ${SUCCEEDED} AND ${range}
     ORDER BY job_id DESC LIMIT $11::int)
    UNION ALL
    SELECT o.job_id FROM unnest($4::smallint[]) AS wanted (state)
    CROSS JOIN LATERAL (
      SELECT job_id FROM job_outcomes
      WHERE state <> ${SUCCEEDED} AND (state, job_id) < (wanted.state, $9::uuid) AND (state, job_id) >= (wanted.state, $10::uuid) AND ${range}
      ORDER BY state DESC, job_id DESC LIMIT $11
    ) AS o
    WHERE wanted.state > ${SUCCEEDED}
  ) AS found
),
scanned AS MATERIALIZED (SELECT job_id FROM ids ORDER BY job_id DESC LIMIT $11),
rest AS (SELECT job_id FROM scanned ORDER BY job_id DESC OFFSET $11 - 1)`;

// Each lane gives its newest $11. Below the oldest of a lane that has more, ids may be missing: the scan ends there.
const byLane = `
ids AS MATERIALIZED (
  SELECT j.job_id, row_number() OVER (PARTITION BY l.lane_id ORDER BY j.job_id DESC) AS place
  FROM unnest($14::int[]) AS l (lane_id)
  CROSS JOIN LATERAL (
    SELECT job_id FROM jobs
    WHERE (lane_id, job_id) < (l.lane_id, $9::uuid) AND (lane_id, job_id) >= (l.lane_id, $10::uuid) AND ${range}
    ORDER BY lane_id DESC, job_id DESC LIMIT $11::int
  ) AS j
),
rest AS MATERIALIZED (SELECT job_id FROM ids WHERE place = $11 ORDER BY job_id DESC LIMIT 1),
scanned AS MATERIALIZED (SELECT job_id FROM ids WHERE job_id >= coalesce((SELECT job_id FROM rest), $10))`;

const ofAll = `
ids AS MATERIALIZED (SELECT job_id FROM jobs WHERE ${range} ORDER BY job_id DESC LIMIT $11::int),
scanned AS MATERIALIZED (SELECT job_id FROM ids),
rest AS (SELECT job_id FROM scanned ORDER BY job_id DESC OFFSET $11 - 1)`;

// The jobs of the steps of workflow $14.
const byParent = `
ids AS MATERIALIZED (
  SELECT job_id FROM jobs WHERE parent_job_id = $14::uuid AND item IS NOT NULL AND ${range}
  ORDER BY parent_job_id DESC, job_id DESC LIMIT $11::int
),
scanned AS MATERIALIZED (SELECT job_id FROM ids),
rest AS (SELECT job_id FROM scanned ORDER BY job_id DESC OFFSET $11 - 1)`;

// The jobs that have missed their soft deadlines; those of the steps of workflow $14, if it is set.
const byDeadline = `
ids AS MATERIALIZED (
  SELECT job_id FROM soft_deadlines WHERE miss_time IS NOT NULL AND ${range} ORDER BY job_id DESC LIMIT $11::int
),
scanned AS MATERIALIZED (
  SELECT ids.job_id FROM ids
  CROSS JOIN LATERAL (SELECT parent_job_id, item FROM jobs WHERE jobs.job_id = ids.job_id OFFSET 0) AS j
  WHERE $14::uuid IS NULL OR (j.parent_job_id IS NOT DISTINCT FROM $14 AND j.item IS NOT NULL)
),
rest AS (SELECT job_id FROM ids ORDER BY job_id DESC OFFSET $11 - 1)`;

export const sources: Readonly<Record<JobSource, string>> = {
  by_state: byState,
  by_lane: byLane,
  by_parent: byParent,
  by_deadline: byDeadline,
  of_all: ofAll,
};
