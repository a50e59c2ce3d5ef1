/** Pages of jobs by a filter, newest first, at a bounded cost whatever the tables hold. */

import { lowestUuid } from '../../../domain/base/uuid.ts';
import { statesOf } from '../../../domain/jobs/job-filter.ts';
import { type JobState, stateCodes } from '../../../domain/jobs/job-state.ts';
import type { JobPage, JobQuery, JobView } from '../../../engine/ports/jobs.ts';
import { sameKey } from '../../base/same-key.ts';
import { timestampOf } from '../../base/times.ts';
import type { Parameter, Session, Statement } from '../../driver/database.ts';
import { outerJoined, type RowWith } from '../../driver/row-types.ts';
import { readGateReasons } from './gate-reasons.ts';
import { type JobSource, sources } from './job-sources.ts';
import { jobView, recordColumns, type ViewRow, viewColumns, viewRowType } from './read-jobs.ts';

/** Max bytes of labels and failures per page. The rest of the page also has to fit into the limit of a message. */
const PAGE_BYTES = 2 << 20;
/** Assumed bytes of a job without labels and failure. */
const JOB_BYTES = 512;
/** Max difference between a job's id and its `create_time`: an id is made before its flush, by the replica's clock. */
const ID_SLACK_MS = 60_000;
const HIGHEST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Max lanes that are merged. With more, the jobs of all lanes are scanned. */
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
  of_all: pageStatement('of_all'),
};

const findLanes = {
  name: 'find_lanes',
  text: `
SELECT lane_id FROM lanes
WHERE namespace = $1 AND ($2::text IS NULL OR definition = $2) AND ($3::text IS NULL OR queue = $3) LIMIT ${MERGED_LANES + 1}`,
  row: { lane_id: 'int4' },
} satisfies Statement;

/** The lowest and, exclusive, the highest id that a job made in the window can have. */
function idBounds({ minCreateTimeUs, maxCreateTimeUs }: JobQuery['filter']): [string, string] {
  const lowest = minCreateTimeUs === undefined ? 0 : Math.max(0, Math.floor(minCreateTimeUs / 1000) - ID_SLACK_MS);
  if (maxCreateTimeUs === undefined) return [lowestUuid(lowest), HIGHEST_UUID];
  return [lowestUuid(lowest), lowestUuid(Math.ceil(maxCreateTimeUs / 1000) + ID_SLACK_MS)];
}

/** The fixed part of a page's scans. */
interface Plan {
  readonly source: JobSource;
  readonly laneIds: readonly number[];
  readonly lowestId: string;
}

async function planOf(session: Session, query: JobQuery, states: readonly JobState[], lowestId: string): Promise<Plan> {
  if (query.filter.parentJobId) return { source: 'by_parent', laneIds: [], lowestId };
  if (!states.includes('SUCCEEDED')) return { source: 'by_state', laneIds: [], lowestId };
  const { definition, queue } = query.filter;
  const rows = await session.run(findLanes, [query.namespace, definition ?? null, queue ?? null]);
  const laneIds = rows.map((row) => row.lane_id);
  return laneIds.length > MERGED_LANES
    ? { source: 'of_all', laneIds: [], lowestId }
    : { source: 'by_lane', laneIds, lowestId };
}

interface Headroom {
  readonly jobs: number;
  readonly bytes: number;
  readonly records: number;
}

function parametersOf(query: JobQuery, states: readonly JobState[], plan: Plan, before: string, space: Headroom) {
  const { filter, namespace } = query;
  const labels = Object.keys(filter.labels).length > 0 ? JSON.stringify(filter.labels) : null;
  const { laneIds, source, lowestId } = plan;
  const byLane = source === 'by_lane';
  const perLane = Math.min(space.records, Math.max(FROM_PER_LANE, Math.ceil((2 * space.records) / laneIds.length)));
  const parameters: Parameter[] = [
    namespace,
    filter.definition ?? null,
    filter.queue ?? null,
    states.map((state) => stateCodes[state]),
    labels,
    timestampOf(filter.minCreateTimeUs),
    timestampOf(filter.maxCreateTimeUs),
    filter.failureTypes.length > 0 ? filter.failureTypes : null,
    before,
    lowestId,
    byLane ? perLane : space.records,
    space.jobs,
    space.bytes,
  ];
  if (source === 'by_parent') return [...parameters, filter.parentJobId ?? null];
  return byLane ? [...parameters, laneIds] : parameters;
}

type PageRow = ViewRow & RowWith<{ bytes: 'int4' }>;

interface Scan {
  readonly rows: readonly PageRow[];
  readonly scanned: number;
  /** The id from which the source continues; undefined at its end. */
  readonly resumeId: string | undefined;
  /** More of the scanned jobs match than the page had space for. */
  readonly cut: boolean;
}

async function scan(session: Session, plan: Plan, parameters: readonly Parameter[]): Promise<Scan> {
  const rows = await session.run(statements[plan.source], parameters);
  const [first] = rows as [(typeof rows)[number]];
  return {
    rows: first.job_id ? (rows as readonly (typeof first & PageRow)[]) : [],
    scanned: first.looked_at,
    resumeId: first.resume_id ?? undefined,
    cut: first.cut,
  };
}

/**
 * Scans a little more than the page holds, then ten times as much each time, until the page is full or the source ends.
 */
export async function listJobs(session: Session, query: JobQuery): Promise<JobPage> {
  const states = statesOf(query.filter);
  const [lowestId, highestId] = idBounds(query.filter);
  if (states.length === 0) return { jobs: [], nextBeforeJobId: undefined };
  const plan = await planOf(session, query, states, lowestId);
  const jobs: JobView[] = [];
  let before = query.beforeJobId && query.beforeJobId < highestId ? query.beforeJobId : highestId;
  let [bytes, left, records] = [PAGE_BYTES, query.scanLimit, query.limit + 1];
  for (;;) {
    const space = { jobs: query.limit - jobs.length, bytes, records: Math.min(records, left) };
    const found = await scan(session, plan, parametersOf(query, states, plan, before, space));
    const holds = await readGateReasons(session, found.rows);
    jobs.push(...found.rows.map((row) => jobView(row, [], holds)));
    if (found.cut) return { jobs, nextBeforeJobId: jobs.at(-1)?.jobId };
    bytes -= found.rows.reduce((sum, row) => sum + row.bytes, 0);
    left -= found.scanned;
    records *= 10;
    const full = jobs.length >= query.limit || bytes <= 0 || left <= 0;
    if (full || found.resumeId === undefined) return { jobs, nextBeforeJobId: found.resumeId };
    before = found.resumeId;
  }
}
