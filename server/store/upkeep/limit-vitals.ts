/** Metrics of concurrency limits: the counted use, and the runs that are really held. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { LimitVitals } from '../../engine/ports/vitals.ts';
import type { Session, Statement } from '../driver/database.ts';

// All in one statement, so that counted and held runs are of the same moment. Every held run meets the bound on the
// session's id: it leaves only the index of held runs as access path, even if they are few of the open jobs.
const readLimits = {
  name: 'read_limit_vitals',
  text: `
WITH limits AS MATERIALIZED (
  SELECT 'queue' AS kind, namespace, name, max_concurrency AS most FROM queues WHERE max_concurrency IS NOT NULL
  UNION ALL
  SELECT 'definition', namespace, definition, (limits::jsonb ->> 'maxConcurrency')::int FROM definition_limits
  WHERE limits::jsonb ? 'maxConcurrency'
),
there AS MATERIALIZED (SELECT count(*) > 0 AS are FROM limits),
lane_use AS MATERIALIZED (
  SELECT lane_id, sum(counted) AS counted, sum(held) AS held FROM (
    SELECT lane_id, jobs AS counted, 0 AS held FROM lane_counts
    WHERE (SELECT are FROM there) AND state = ${stateCodes.ASSIGNED} AND jobs <> 0
    UNION ALL SELECT lane_id, jobs, 0 FROM lane_count_changes
    WHERE (SELECT are FROM there) AND state = ${stateCodes.ASSIGNED}
    UNION ALL SELECT lane_id, 0, 1 FROM job_runs
    WHERE (SELECT are FROM there) AND session_id >= '00000000-0000-0000-0000-000000000000'
  ) AS parts GROUP BY lane_id
),
named AS MATERIALIZED (
  SELECT l.*, u.counted, u.held FROM lane_use u
  CROSS JOIN LATERAL (
    SELECT namespace, queue, definition FROM lanes WHERE lanes.lane_id = u.lane_id AND cleanup IS NOT TRUE OFFSET 0
  ) AS l
)
SELECT kind, namespace, name, max(most) AS most, sum(counted)::int AS counted, sum(held)::int AS held FROM (
  SELECT kind, namespace, name, most, 0 AS counted, 0 AS held FROM limits
  UNION ALL SELECT 'queue', namespace, queue, NULL, counted, held FROM named
  UNION ALL SELECT 'definition', namespace, definition, NULL, counted, held FROM named
) AS parts
GROUP BY kind, namespace, name HAVING max(most) IS NOT NULL
ORDER BY abs(sum(counted) - sum(held)) DESC, sum(counted) DESC, kind, namespace, name`,
  row: { kind: 'text', namespace: 'text', name: 'text', most: 'int4', counted: 'int4', held: 'int4' },
} satisfies Statement;

export async function readLimitVitals(session: Session): Promise<LimitVitals[]> {
  const rows = await session.run(readLimits, []);
  return rows.map(({ kind, namespace, name, most, counted, held }) => ({
    kind: kind as LimitVitals['kind'],
    namespace,
    name,
    maxConcurrency: most,
    inUse: counted,
    holders: held,
  }));
}
