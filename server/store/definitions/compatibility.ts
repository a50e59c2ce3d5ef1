/** What a new version of a definition is compared with: connected workers, and jobs in flight. Its cost is bounded. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Session, Statement } from '../driver/database.ts';

/** Max lanes scanned, from the newest version. */
const MAX_LANES = 100;
const MAX_VERSIONS = 20;
/** Max jobs scanned per lane, from the newest, if none of its jobs is ready. */
const NEWEST_JOBS = 100;

// No index leads from a lane to all of its open jobs: it would cost each job more than this is worth. Ready jobs are
// found by their index, other open ones among the newest jobs. A range instead of `=`: sorted by lane and id, rows can
// only come from the index by lane. For the newest ids alone the planner would read the primary key from its end.
const readOpen = {
  name: 'read_open_versions',
  text: `
WITH older AS MATERIALIZED (
  SELECT lane_id, definition_version FROM lanes WHERE namespace = $1 AND definition = $2 AND definition_version < $3
  ORDER BY definition_version DESC LIMIT ${MAX_LANES}
)
SELECT DISTINCT definition_version FROM older CROSS JOIN LATERAL (
  (SELECT FROM job_runs WHERE job_runs.lane_id = older.lane_id AND state = ${stateCodes.READY} LIMIT 1)
  UNION ALL
  (SELECT FROM (
    SELECT job_id FROM jobs WHERE jobs.lane_id >= older.lane_id AND jobs.lane_id <= older.lane_id
    ORDER BY jobs.lane_id DESC, job_id DESC LIMIT ${NEWEST_JOBS}
  ) AS j CROSS JOIN LATERAL (SELECT FROM job_runs WHERE job_runs.job_id = j.job_id OFFSET 0) AS r LIMIT 1)
  LIMIT 1
) AS open
ORDER BY definition_version DESC LIMIT ${MAX_VERSIONS}`,
  row: { definition_version: 'int4' },
} satisfies Statement;

/** Versions below `version` that have open jobs, from the newest; max 20. */
export async function readOpenVersions(
  session: Session,
  namespace: string,
  name: string,
  version: number,
): Promise<number[]> {
  return (await session.run(readOpen, [namespace, name, version])).map((row) => row.definition_version);
}
