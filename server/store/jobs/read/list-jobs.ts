/** Scans for jobs that match a filter, newest first, each of bounded cost whatever the tables hold. */
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import type { JobQuery, JobScan, JobSource, ScannedJobs } from '../../../engine/ports/jobs.ts';
import { sameKey } from '../../base/same-key.ts';
import { timestampOf } from '../../base/times.ts';
import type { Parameter, Session, Statement } from '../../driver/database.ts';
import { outerJoined, type RowWith } from '../../driver/row-types.ts';
import { sources } from './job-sources.ts';
import { listedJob, recordColumns, type ViewRow, viewColumns, viewRowType } from './read-jobs.ts';

/** Assumed bytes of a job without labels and failure. */
const JOB_BYTES = 512;
/** Max lanes that are merged. */
const MERGED_LANES = 500;
/** Min records that a lane gives to a merge: the merge ends with the first lane that may have more. */
const FROM_PER_LANE = 16;

/**
 * Takes the ids of `scanned`, and reports the id where `rest` continues. The bounds of the page are in the statement,
 * so that labels and failures of no more jobs than fit are ever sent.
 */
function pageStatement(source: JobSource) {
  return {
    name: `list_jobs_${source}`,
    text: `
WITH ${sources[source]},
matched AS MATERIALIZED (
  SELECT j.job_id, ${JOB_BYTES} + coalesce(octet_length(o.failure), 0) + coalesce(octet_length(j.labels::text), 0) AS bytes
  FROM scanned s
  CROSS JOIN LATERAL (SELECT job_id, lane_id, labels, create_time FROM jobs WHERE jobs.job_id = s.job_id OFFSET 0) AS j
  JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
  LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'j.job_id')}
  LEFT JOIN job_outcomes o ON ${sameKey('o.job_id', 'j.job_id')}
  WHERE n.namespace IS NOT DISTINCT FROM $1
    AND ($2::text IS NULL OR n.definition = $2) AND ($3::text IS NULL OR n.queue = $3)
    AND coalesce(o.state, r.state) = ANY($4::smallint[])
    AND ($5::jsonb IS NULL OR j.labels @> $5)
    AND ($6::timestamptz IS NULL OR j.create_time >= $6) AND ($7::timestamptz IS NULL OR j.create_time < $7)
    AND ($8::text[] IS NULL OR (o.failure::json ->> 'type') = ANY($8))
  ORDER BY j.job_id DESC LIMIT $12::int + 1
),
summed AS MATERIALIZED (
  SELECT job_id, bytes, row_number() OVER w AS place, sum(bytes) OVER w - bytes AS bytes_before
  FROM matched WINDOW w AS (ORDER BY job_id DESC)
),
fitting AS MATERIALIZED (SELECT * FROM summed WHERE place <= $12 AND bytes_before < $13::bigint)
SELECT p.*, (SELECT job_id FROM rest) AS resume_id, (SELECT count(*) FROM ids) AS looked_at,
       (SELECT count(*) FROM matched) > (SELECT count(*) FROM fitting) AS cut
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (
  SELECT f.bytes, ${viewColumns}, ''::bytea AS input, CASE WHEN o.state = ${stateCodes.SUCCEEDED} THEN ''::bytea END AS result
  FROM fitting f
  CROSS JOIN LATERAL (SELECT ${recordColumns} FROM jobs WHERE jobs.job_id = f.job_id OFFSET 0) AS j
  JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
  LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'j.job_id')}
  LEFT JOIN job_outcomes o ON ${sameKey('o.job_id', 'j.job_id')}
) AS p ON true
ORDER BY p.job_id DESC`,
    row: {
      ...outerJoined({ ...viewRowType, bytes: 'int4' }),
      resume_id: 'uuid?',
      looked_at: 'int8',
      cut: 'bool',
    },
  } satisfies Statement;
}

const statements = {
  by_state: pageStatement('by_state'),
  by_lane: pageStatement('by_lane'),
  by_parent: pageStatement('by_parent'),
  by_deadline: pageStatement('by_deadline'),
  of_all: pageStatement('of_all'),
};

const findLanes = {
  name: 'find_lanes',
  text: `
SELECT lane_id FROM lanes
WHERE namespace = $1 AND ($2::text IS NULL OR definition = $2) AND ($3::text IS NULL OR queue = $3) LIMIT ${MERGED_LANES + 1}`,
  row: { lane_id: 'int4' },
} satisfies Statement;

/** Undefined: with so many lanes, the jobs of all lanes are scanned. */
export async function findListedLanes(
  session: Session,
  { namespace, filter }: JobQuery,
): Promise<number[] | undefined> {
  const rows = await session.run(findLanes, [namespace, filter.definition ?? null, filter.queue ?? null]);
  return rows.length > MERGED_LANES ? undefined : rows.map((row) => row.lane_id);
}

function parametersOf({ query, states, source, laneIds, lowestId, beforeId, jobs, bytes, records }: JobScan) {
  const { filter, namespace } = query;
  const labels = Object.keys(filter.labels).length > 0 ? JSON.stringify(filter.labels) : null;
  const byLane = source === 'by_lane';
  const perLane = Math.min(records, Math.max(FROM_PER_LANE, Math.ceil((2 * records) / laneIds.length)));
  const parameters: Parameter[] = [
    namespace,
    filter.definition ?? null,
    filter.queue ?? null,
    states.map((state) => stateCodes[state]),
    labels,
    timestampOf(filter.minCreateTimeUs),
    timestampOf(filter.maxCreateTimeUs),
    filter.failureTypes.length > 0 ? filter.failureTypes : null,
    beforeId,
    lowestId,
    byLane ? perLane : records,
    jobs,
    bytes,
  ];
  if (source === 'by_parent' || source === 'by_deadline') return [...parameters, filter.parentJobId ?? null];
  return byLane ? [...parameters, laneIds] : parameters;
}

type PageRow = ViewRow & RowWith<{ bytes: 'int4' }>;

export async function scanJobs(session: Session, scan: JobScan): Promise<ScannedJobs> {
  const rows = await session.run(statements[scan.source], parametersOf(scan));
  const [first] = rows as [(typeof rows)[number]];
  const found = first.job_id ? (rows as readonly (typeof first & PageRow)[]) : [];
  return {
    jobs: found.map(listedJob),
    bytes: found.reduce((sum, row) => sum + row.bytes, 0),
    scanned: first.looked_at,
    resumeId: first.resume_id ?? undefined,
    cut: first.cut,
  };
}
