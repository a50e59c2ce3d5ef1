/**
 * Stores new jobs: the record and the run of each, and the request ids of their calls, in one statement, which also
 * assigns those that have a place.
 */
import { stateCodes } from '../../domain/job-state.ts';
import type { NewJob, Place, SubmitCall } from '../../engine/store-port.ts';
import { byteSlices, plainArray, textArray } from '../arrays.ts';
import type { Row, Session } from '../database.ts';
import { inputTable } from '../input-table.ts';
import { timestampOf } from '../times.ts';
import { addCounts } from './lane-counts.ts';
import { tell } from './outbox.ts';

const callColumns = { namespace: 'text', request_id: 'uuid', body_hash: 'text', job_ids: 'text', existing: 'text' };

const columns = {
  request_key: 'text',
  job_id: 'uuid',
  lane_id: 'int',
  state: 'smallint',
  rank: 'bigint',
  priority: 'smallint',
  input_start: 'int',
  input_length: 'int',
  input_content_type: 'text',
  run_timeout_ms: 'bigint',
  run_time: 'timestamptz',
  expire_time: 'timestamptz',
  idempotency_key: 'text',
  traceparent: 'text',
  rest: 'jsonb',
  session_id: 'uuid',
  credit_id: 'bigint',
};

const parametersBefore = 2 + Object.keys(callColumns).length;
const sessionIds = parametersBefore + Object.keys(columns).length;
const laneIds = sessionIds + 1;

// What few jobs have travels as one JSON object, NULL for most: an array for each would be paid for by all. Sessions and
// lanes are locked as by a claim, and for the same reasons; a job whose session is not open, drains, or is being closed, or
// whose lane is held back, stays ready.
const statement = {
  name: 'insert_jobs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
won AS (
  INSERT INTO request_ids (namespace, request_id, body_hash, job_ids, existing, create_time)
  SELECT namespace, request_id, decode(body_hash, 'hex'), job_ids::uuid[], existing::boolean[], now.time
  FROM ${inputTable(callColumns, 'call', 2)}, now
  ORDER BY namespace, request_id
  ON CONFLICT DO NOTHING
  RETURNING namespace || '/' || request_id AS request_key
),
open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($${sessionIds}::uuid[]) AND state IS NOT DISTINCT FROM 1
    AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
open_lanes AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = ANY($${laneIds}::int[]) AND held_back = 0
  ORDER BY lane_id FOR KEY SHARE SKIP LOCKED
),
i AS MATERIALIZED (
  SELECT *, (i.session_id IN (SELECT session_id FROM open_sessions) AND i.lane_id IN (SELECT lane_id FROM open_lanes)) IS TRUE AS assigned
  FROM ${inputTable(columns, 'i', parametersBefore)}
  WHERE i.request_key IS NULL OR i.request_key IN (SELECT request_key FROM won)
),
record AS (
  INSERT INTO jobs (job_id, lane_id, priority, labels, input, input_content_type, input_metadata, demands, retry_policy,
                    run_timeout_ms, idempotency_key, traceparent, tracestate, retry_of, create_time, run_time, expire_time)
  SELECT job_id, lane_id, priority, rest->'labels', substring($1::bytea FROM input_start FOR input_length),
         input_content_type, rest->>'input_metadata', rest->>'demands', rest->>'retry_policy', run_timeout_ms,
         idempotency_key, traceparent, rest->>'tracestate', (rest->>'retry_of')::uuid, now.time, run_time, expire_time
  FROM i, now
),
run AS (
  INSERT INTO job_runs (job_id, lane_id, rank, input_size, expire_time, run_timeout_ms, state, due_time,
                        attempt, revision, session_id, credit_id, assign_time, deadline, progress_timeout_ms, watch_window_ms,
                        check_result)
  SELECT job_id, lane_id, rank, input_length, expire_time, run_timeout_ms,
         CASE WHEN assigned THEN ${stateCodes.ASSIGNED} ELSE state END,
         CASE WHEN assigned THEN NULL WHEN state = ${stateCodes.SCHEDULED} THEN run_time
              ELSE least(expire_time, (rest->>'deadline')::timestamptz) END,
         assigned::int, 1 + assigned::int, CASE WHEN assigned THEN session_id END,
         CASE WHEN assigned THEN credit_id END, CASE WHEN assigned THEN now.time END,
         (rest->>'deadline')::timestamptz, (rest->>'progress_timeout_ms')::bigint, (rest->>'watch_window_ms')::bigint,
         rest->'check_result' IS NOT NULL
  FROM i, now
),
${addCounts(`
    SELECT lane_id, CASE WHEN assigned THEN ${stateCodes.ASSIGNED} ELSE state END AS state, count(*) AS jobs FROM i GROUP BY 1, 2`)},
told AS (${tell({ from: 'i' })})
SELECT request_key, NULL::uuid AS session_id, NULL::int AS lane_id FROM won
UNION ALL SELECT NULL, session_id, NULL::int FROM open_sessions
UNION ALL SELECT NULL, NULL, lane_id FROM open_lanes`,
};

/** JSON of what few jobs have; NULL when this one has none of it. */
function restOf(job: NewJob): string | null {
  const { labels, demands, retryPolicy, tracestate, retryOf, checkResult } = job;
  const { deadlineUs, progressTimeoutMs, watchWindowMs } = job;
  const { metadata } = job.input;
  const isPlain = !labels && !demands && !retryPolicy && !tracestate && !retryOf && !metadata && !checkResult;
  if (isPlain && !deadlineUs && !progressTimeoutMs && !watchWindowMs) return null;
  const text = (value: object | undefined) => (value ? JSON.stringify(value) : undefined);
  return JSON.stringify({
    labels,
    demands,
    tracestate,
    retry_of: retryOf,
    input_metadata: text(metadata),
    retry_policy: text(retryPolicy),
    deadline: timestampOf(deadlineUs ?? null) ?? undefined,
    progress_timeout_ms: progressTimeoutMs,
    watch_window_ms: watchWindowMs,
    check_result: checkResult || undefined,
  });
}

export function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** One call's jobs, less those that were there already by idempotency key. */
export interface Insertion {
  readonly call: SubmitCall;
  readonly jobs: readonly NewJob[];
  /** Answer to a repeat of the call: all of its jobs, in order. */
  readonly jobIds: readonly string[];
  readonly existing: readonly boolean[];
}

/** As `insert_jobs` answers it: a namespace has no slash, and a request id is a UUID in lower case. */
export function requestKey(namespace: string, requestId: string): string {
  return `${namespace}/${requestId}`;
}

/** What the statement takes of the calls that carry a request id. */
function callParameters(insertions: readonly Insertion[]) {
  const calls = insertions.filter((item) => item.call.requestId);
  return [
    textArray(calls.map((item) => item.call.namespace)),
    plainArray(calls.map((item) => item.call.requestId)),
    plainArray(calls.map((item) => Buffer.from(item.call.bodyHash ?? []).toString('hex'))),
    textArray(calls.map((item) => plainArray(item.jobIds))),
    textArray(calls.map((item) => plainArray(item.existing))),
  ];
}

export interface Inserted {
  /** Keys (see `requestKey`) of the request ids that were new; calls whose request id was there have stored nothing. */
  readonly requests: ReadonlySet<string>;
  /** Sessions among the places' that were open, and lanes of jobs with places that were not held back: where both are
   * so, what was stored with a place is assigned. */
  readonly openSessions: ReadonlySet<string>;
  readonly openLanes: ReadonlySet<number>;
}

/** At most 1,000 jobs and 8 MiB of input a call: the caller sees to it. */
export async function insertJobs(
  session: Session,
  insertions: readonly Insertion[],
  places: ReadonlyMap<string, Place>,
): Promise<Inserted> {
  const jobs = insertions.flatMap((item) => item.jobs);
  const requestKeys = insertions.flatMap(({ call, jobs: { length } }) =>
    new Array(length).fill(call.requestId && requestKey(call.namespace, call.requestId)),
  );
  const slices = byteSlices(jobs.map((job) => job.input.data));
  const plain = (pick: (job: NewJob) => string | number) => plainArray(jobs.map(pick));
  const text = (pick: (job: NewJob) => string | null | undefined) => textArray(jobs.map(pick));
  const rows = await session.run(statement, [
    slices.bytes,
    ...callParameters(insertions),
    textArray(requestKeys),
    plain((job) => job.jobId),
    plain((job) => job.laneId),
    plain((job) => stateCodes[job.state]),
    plain((job) => job.rank),
    plain((job) => job.priority),
    slices.starts,
    slices.lengths,
    text((job) => job.input.contentType),
    plain((job) => job.runTimeoutMs),
    text((job) => timestampOf(job.runTimeUs)),
    text((job) => timestampOf(job.expireTimeUs)),
    text((job) => job.idempotencyKey),
    text((job) => job.traceparent),
    text(restOf),
    plainArray(jobs.map((job) => places.get(job.jobId)?.sessionId)),
    plainArray(jobs.map((job) => places.get(job.jobId)?.creditId)),
    plainArray([...new Set(Array.from(places.values(), (place) => place.sessionId))]),
    plainArray([...new Set(jobs.flatMap((job) => (places.has(job.jobId) ? job.laneId : [])))]),
  ]);
  return insertedOf(rows);
}

function insertedOf(rows: readonly Row[]): Inserted {
  const requests = new Set<string>();
  const openSessions = new Set<string>();
  const openLanes = new Set<number>();
  for (const row of rows) {
    if (row.session_id !== null) openSessions.add(row.session_id);
    else if (row.lane_id !== null) openLanes.add(row.lane_id);
    else requests.add(row.request_key);
  }
  return { requests, openSessions, openLanes };
}
