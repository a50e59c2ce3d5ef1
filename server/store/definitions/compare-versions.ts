/** Counts how the jobs of two versions of a definition have ended. */
import { lowestUuid } from '../../domain/base/uuid.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { ComparedVersions, Rollout } from '../../engine/ports/definitions.ts';
import type { Session, Statement } from '../driver/database.ts';

/** Maximum lanes of a version whose jobs are counted: those with the newest jobs. */
const MAX_LANES = 100;
/** Maximum jobs of the new version that are read, from the newest, to find those that have ended. */
const MAX_READ = 20_000;
/** Maximum ended jobs of the new version that count. */
const MAX_ENDED = 1_000;
/** Places among these, evenly, at which jobs of the other version are taken: so many before and after each. */
const PLACES = 20;
const NEAR = 25;

const { SUCCEEDED, FAILED } = stateCodes;

const lanesOf = (version: string) => `
  SELECT own.lane_id FROM lanes own CROSS JOIN LATERAL (
    SELECT job_id FROM jobs WHERE jobs.lane_id >= own.lane_id AND jobs.lane_id <= own.lane_id AND job_id >= $5
    ORDER BY jobs.lane_id DESC, job_id DESC LIMIT 1
  ) AS last
  WHERE own.namespace = $1 AND own.definition = $2 AND own.definition_version = ${version} AND NOT own.cleanup
  ORDER BY last.job_id DESC LIMIT ${MAX_LANES}`;

// A range of lanes instead of `=`, and rows where both ends are given, so that no other index gives the order.
const jobsNear = (condition: string, order: 'ASC' | 'DESC', limit: number) => `
  SELECT near.job_id FROM own CROSS JOIN LATERAL (
    SELECT job_id FROM jobs WHERE jobs.lane_id >= own.lane_id AND jobs.lane_id <= own.lane_id AND ${condition}
    ORDER BY jobs.lane_id ${order}, job_id ${order} LIMIT ${limit}
  ) AS near ORDER BY near.job_id ${order} LIMIT ${limit}`;

const endsOf = (jobs: string) => `
  SELECT found.job_id, o.state FROM ${jobs} AS found CROSS JOIN LATERAL (
    SELECT state FROM job_outcomes WHERE job_outcomes.job_id = found.job_id OFFSET 0
  ) AS o WHERE o.state IN (${SUCCEEDED}, ${FAILED})`;

/** Jobs of the new version that are open after an attempt that counted, as far back as ended ones are counted. */
const RETRYING = `
  SELECT FROM newest n CROSS JOIN LATERAL (
    SELECT attempt_count FROM job_runs WHERE job_runs.job_id = n.job_id OFFSET 0
  ) AS r
  WHERE r.attempt_count > 0 AND n.job_id >= CASE WHEN (SELECT count(*) FROM ended) < ${MAX_ENDED} THEN $5
                                                 ELSE (SELECT job_id FROM ended ORDER BY job_id LIMIT 1) END
  LIMIT ${MAX_ENDED}`;

const compareBoth = {
  name: 'compare_versions',
  text: `
WITH newest AS MATERIALIZED (
  WITH own AS MATERIALIZED (${lanesOf('$3')})
  ${jobsNear('job_id >= $5', 'DESC', MAX_READ)}
),
ended AS MATERIALIZED (${endsOf('newest')} LIMIT ${MAX_ENDED}),
places AS MATERIALIZED (
  SELECT job_id FROM (SELECT job_id, row_number() OVER (ORDER BY job_id) - 1 AS place, count(*) OVER () AS jobs FROM ended) AS e
  WHERE place % greatest(1, (jobs + ${PLACES - 1}) / ${PLACES}) = 0
  UNION ALL SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid WHERE NOT EXISTS (SELECT FROM ended)
),
own AS MATERIALIZED (${lanesOf('$4')}),
around AS MATERIALIZED (
  SELECT DISTINCT b.job_id FROM places p CROSS JOIN LATERAL (
    (${jobsNear('(jobs.lane_id, job_id) < (own.lane_id, p.job_id) AND job_id >= $5', 'DESC', NEAR)})
    UNION ALL (${jobsNear('(jobs.lane_id, job_id) >= (own.lane_id, p.job_id) AND job_id >= $5', 'ASC', NEAR)})
  ) AS b
),
base AS MATERIALIZED (${endsOf('around')})
SELECT (SELECT count(*)::int FROM ended) AS ended, (SELECT count(*)::int FROM ended WHERE state = ${FAILED}) AS failed,
       (SELECT count(*)::int FROM (${RETRYING}) AS r) AS retrying,
       (SELECT count(*)::int FROM base) AS base_ended, (SELECT count(*)::int FROM base WHERE state = ${FAILED}) AS base_failed`,
  row: { ended: 'int4?', failed: 'int4?', retrying: 'int4?', base_ended: 'int4?', base_failed: 'int4?' },
} satisfies Statement;

/** Of jobs since the start of the roll-out. Those of the other version were submitted about when those of the new one were. */
export async function compareVersions(session: Session, rollout: Rollout): Promise<ComparedVersions> {
  const { namespace, definition, version, baseVersion, startTimeUs } = rollout;
  const since = lowestUuid(Math.floor(startTimeUs / 1_000));
  const [row] = await session.run(compareBoth, [namespace, definition, version, baseVersion, since]);
  return {
    counts: { ended: row?.ended ?? 0, failed: row?.failed ?? 0, retrying: row?.retrying ?? 0 },
    baseCounts: { ended: row?.base_ended ?? 0, failed: row?.base_failed ?? 0 },
  };
}
