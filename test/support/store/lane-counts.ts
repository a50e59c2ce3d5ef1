/** Compares the stored counts of open jobs with a real count. */
import type { Session, Statement } from '../../../server/store/driver/database.ts';
import type { RowOf } from '../../../server/store/driver/row-types.ts';

/** Also for a session whose search path lacks our schema. */
const readDrift = {
  name: 'read_count_drift',
  text: `
WITH kept AS (
  SELECT lane_id, state, sum(jobs) AS jobs FROM (
    SELECT lane_id, state, jobs FROM muster.lane_counts UNION ALL SELECT lane_id, state, jobs FROM muster.lane_count_changes
  ) AS parts GROUP BY lane_id, state
),
counted AS (
  -- A workflow or a batch that is CANCELLING is held by no session: it waits on for what it is made of.
  SELECT lane_id, CASE WHEN state = 8 AND session_id IS NULL THEN 7 WHEN state IN (5, 6, 8) THEN 5 ELSE state END AS state, count(*) AS jobs
  FROM muster.job_runs GROUP BY 1, 2
)
SELECT lane_id, state, coalesce(kept.jobs, 0)::bigint AS kept, coalesce(counted.jobs, 0) AS counted
FROM kept FULL JOIN counted USING (lane_id, state)
WHERE coalesce(kept.jobs, 0) <> coalesce(counted.jobs, 0) ORDER BY lane_id, state`,
  row: { lane_id: 'int4', state: 'int4', kept: 'int8', counted: 'int8' },
} satisfies Statement;

/** The differences by lane and state, both read at the same moment. */
export function readCountDrift(session: Session): Promise<RowOf<typeof readDrift>[]> {
  return session.run(readDrift, []);
}
