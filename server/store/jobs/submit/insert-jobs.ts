/**
 * Stores new jobs: the record and the run of each, and the request ids of their calls, in one statement, which also
 * assigns jobs that have a permit.
 */

import { limitMarks } from '../../../domain/dispatch/limits.ts';
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import { deadlineReactions } from '../../../domain/jobs/soft-deadline.ts';
import type { Inserted, Insertion, NewJob, Placement, SubmitCall } from '../../../engine/ports/submissions.ts';
import { inputTable } from '../../base/input-table.ts';
import { timestampOf } from '../../base/times.ts';
import { gates } from '../../dispatch/gated-lanes.ts';
import { addCounts } from '../../dispatch/lane-counts.ts';
import { byteSlices } from '../../driver/arrays.ts';
import type { Parameter, Session, Statement } from '../../driver/database.ts';
import type { RowOf } from '../../driver/row-types.ts';
import { groups, outboxInsert } from '../../events/outbox.ts';
import { storedTargets } from '../../events/traced-targets.ts';

const callColumns = {
  call: 'int',
  namespace: 'text',
  request_id: 'uuid',
  body_hash: 'bytea',
  // Positions of the call's jobs among all jobs.
  first_job: 'int',
  last_job: 'int',
};

const columns = {
  call: 'int',
  job_id: 'uuid',
  lane_id: 'int',
  rank: 'bigint',
  input_start: 'int',
  input_length: 'int',
  input_content_type: 'text',
  run_timeout_ms: 'bigint',
  traceparent: 'text',
  priority: 'smallint',
  fairness_key: 'text',
  limit_key: 'text',
  limit_id: 'uuid',
  rest: 'jsonb',
  session_id: 'uuid',
  credit_id: 'bigint',
};

const firstOfCalls = 4;
const firstOfJobs = firstOfCalls + Object.keys(callColumns).length;
const sessionIds = firstOfJobs + Object.keys(columns).length;
const laneIds = sessionIds + 1;
const limitedLane = laneIds + 1;

// Rare fields travel as one JSON object, NULL for most jobs: all jobs would pay for an array each. Fields that all jobs
// of a definition have, or none, are arrays that are empty if no job has them: an empty one gives NULL in each row.
// Sessions and lanes are locked as by a claim, and for the same reasons. A job stays ready if its session is not open,
// drains or is being closed, or if its lane is gated. Of the lanes with limits only the one that `admitPermits` has
// checked is open.
const statement = {
  name: 'insert_jobs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
calls AS MATERIALIZED (SELECT * FROM ${inputTable(callColumns, 'c', firstOfCalls)}),
won AS (
  INSERT INTO request_ids (namespace, request_id, body_hash, job_ids, existing, create_time)
  SELECT namespace, request_id, body_hash, ($2::uuid[])[first_job:last_job], ($3::boolean[])[first_job:last_job], now.time
  FROM calls, now
  ORDER BY namespace, request_id
  ON CONFLICT DO NOTHING
  RETURNING namespace, request_id
),
first_calls AS MATERIALIZED (
  SELECT call FROM calls WHERE call IS NULL OR (namespace, request_id) IN (SELECT namespace, request_id FROM won)
),
open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($${sessionIds}::uuid[]) AND state IS NOT DISTINCT FROM 1
    AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
open_lanes AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = ANY($${laneIds}::int[])
    AND (gates = 0 OR gates = ${gates.limited} AND lane_id = $${limitedLane}::int)
  ORDER BY lane_id FOR KEY SHARE SKIP LOCKED
),
i AS MATERIALIZED (
  SELECT *, coalesce((rest->>'state')::smallint, ${stateCodes.READY}) AS state,
         (rest->>'run_time')::timestamptz AS run_time, (rest->>'expire_time')::timestamptz AS expire_time,
         (i.session_id IN (SELECT session_id FROM open_sessions) AND i.lane_id IN (SELECT lane_id FROM open_lanes)) IS TRUE AS assigned
  FROM ${inputTable(columns, 'i', firstOfJobs)}
  WHERE i.call IS NULL OR i.call IN (SELECT call FROM first_calls)
),
record AS (
  INSERT INTO jobs (job_id, lane_id, priority, labels, input, input_content_type, input_metadata, demands, retry_policy,
                    run_timeout_ms, idempotency_key, traceparent, tracestate, retry_of, create_time, run_time, expire_time, fairness_key, limit_key,
                    parent_job_id, step, item, depends_on, soft_deadline)
  SELECT job_id, lane_id, coalesce(priority, 0), rest->'labels', substring($1::bytea FROM input_start FOR input_length),
         input_content_type, rest->>'input_metadata', rest->>'demands', rest->>'retry_policy', run_timeout_ms,
         rest->>'idempotency_key', traceparent, rest->>'tracestate', (rest->>'retry_of')::uuid, now.time, run_time, expire_time, fairness_key, limit_key,
         (rest->>'parent_job_id')::uuid, (rest->>'step')::smallint, (rest->>'item')::int, rest->'depends_on', (rest->>'soft_deadline')::timestamptz
  FROM i, now
),
run AS (
  INSERT INTO job_runs (job_id, lane_id, rank, input_size, expire_time, run_timeout_ms, state, due_time,
                        attempt, revision, session_id, credit_id, assign_time, deadline, progress_timeout_ms, watch_window_ms,
                        check_result, limit_id, limit_mark, parent_job_id, step, item, notifies_end)
  SELECT job_id, lane_id, rank, input_length, expire_time, run_timeout_ms,
         CASE WHEN assigned THEN ${stateCodes.ASSIGNED} ELSE state END,
         CASE WHEN assigned THEN NULL WHEN state = ${stateCodes.SCHEDULED} THEN run_time
              ELSE least(expire_time, (rest->>'deadline')::timestamptz) END,
         assigned::int, 1 + assigned::int, CASE WHEN assigned THEN session_id END,
         CASE WHEN assigned THEN credit_id END, CASE WHEN assigned THEN now.time END,
         (rest->>'deadline')::timestamptz, (rest->>'progress_timeout_ms')::bigint, (rest->>'watch_window_ms')::bigint,
         rest->'check_result' IS NOT NULL, limit_id, (rest->>'limit_mark')::smallint,
         (rest->>'parent_job_id')::uuid, (rest->>'step')::smallint, (rest->>'item')::int, rest->'notifies_end' IS NOT NULL
  FROM i, now
),
soft_deadline AS (
  INSERT INTO soft_deadlines (job_id, time, reaction, priority)
  SELECT job_id, (rest->>'soft_deadline')::timestamptz, (rest->>'reaction')::smallint, (rest->>'raised_priority')::smallint
  FROM i WHERE rest->'soft_deadline' IS NOT NULL
),
${groups({ from: 'i', by: ['state', 'assigned'] })},
${addCounts(`SELECT lane_id, CASE WHEN assigned THEN ${stateCodes.ASSIGNED} ELSE state END AS state, jobs FROM groups`)},
published AS (${outboxInsert()})
SELECT call, NULL::uuid AS session_id, NULL::int AS lane_id FROM first_calls
UNION ALL SELECT NULL, session_id, NULL::int FROM open_sessions
UNION ALL SELECT NULL, NULL, lane_id FROM open_lanes`,
  row: { call: 'int4?', session_id: 'uuid?', lane_id: 'int4?' },
} satisfies Statement;

/** JSON of the job's rare fields; NULL if it has none. */
function restOf(job: NewJob): string | null {
  const { state, labels, demands, retryPolicy, tracestate, retryOf, checkResult, idempotencyKey } = job;
  const {
    runTimeUs,
    expireTimeUs,
    deadlineUs,
    progressTimeoutMs,
    watchWindowMs,
    softDeadline,
    limitMark,
    parent,
    notifiesDependents,
    tracedTargets,
  } = job;
  const { metadata } = job.input;
  const isPlain = state === 'READY' && !labels && !demands && !retryPolicy && !tracestate && !idempotencyKey;
  const isUntimed = !runTimeUs && !expireTimeUs && !deadlineUs && !progressTimeoutMs && !watchWindowMs && !softDeadline;
  if (
    isPlain &&
    isUntimed &&
    !limitMark &&
    !retryOf &&
    !metadata &&
    !checkResult &&
    !parent &&
    !notifiesDependents &&
    !tracedTargets
  )
    return null;
  const text = (value: object | undefined) => (value ? JSON.stringify(value) : undefined);
  const time = (us: number | undefined) => timestampOf(us) ?? undefined;
  return JSON.stringify({
    state: state === 'READY' ? undefined : stateCodes[state],
    labels,
    demands,
    tracestate,
    idempotency_key: idempotencyKey,
    retry_of: retryOf,
    input_metadata: text(metadata),
    retry_policy: text(retryPolicy),
    run_time: time(runTimeUs),
    expire_time: time(expireTimeUs),
    deadline: time(deadlineUs),
    progress_timeout_ms: progressTimeoutMs,
    watch_window_ms: watchWindowMs,
    soft_deadline: time(softDeadline?.timeUs),
    reaction: softDeadline && deadlineReactions[softDeadline.reaction],
    raised_priority: softDeadline?.priority,
    check_result: checkResult || undefined,
    limit_mark: limitMark && limitMarks[limitMark],
    parent_job_id: parent?.jobId,
    step: parent?.step,
    item: parent?.item,
    notifies_end: notifiesDependents || undefined,
    depends_on: tracedTargets && storedTargets(tracedTargets),
  });
}

/** Empty if no job has the field. */
function ifAny<T>(values: readonly (T | undefined)[]): readonly (T | undefined)[] {
  return values.some((value) => value !== undefined) ? values : [];
}

/** Parameters of the calls that carry a request id. */
function callParameters(insertions: readonly Insertion[]): Parameter[] {
  const calls = insertions.flatMap((item, permit) => (item.call.requestId ? { ...item, permit } : []));
  let end = 0;
  const ends = calls.map(({ jobIds }) => (end += jobIds.length));
  return [
    calls.flatMap(({ jobIds }) => jobIds),
    calls.flatMap(({ existing }) => existing),
    calls.map(({ permit }) => permit),
    calls.map(({ call }) => call.namespace),
    calls.map(({ call }) => call.requestId),
    calls.map(({ call }) => call.bodyHash ?? new Uint8Array()),
    calls.map(({ jobIds }, i) => (ends[i] as number) - jobIds.length + 1),
    ends,
  ];
}

/** Max 1,000 jobs and 8 MiB of input per call; the caller keeps these bounds. */
export async function insertJobs(
  session: Session,
  insertions: readonly Insertion[],
  { permits = new Map(), ranks = new Map(), limited }: Partial<Placement>,
): Promise<Inserted> {
  const jobs = insertions.flatMap((item) => item.jobs);
  const calls = insertions.flatMap((item, i) => item.jobs.map(() => (item.call.requestId ? i : null)));
  const slices = byteSlices(jobs.map((job) => job.input.data));
  const permitOf = jobs.map((job) => permits.get(job.jobId));
  const rows = await session.run(statement, [
    slices.bytes,
    ...callParameters(insertions),
    calls,
    jobs.map((job) => job.jobId),
    jobs.map((job) => job.laneId),
    ranks.size > 0 ? jobs.map((job) => ranks.get(job.jobId) ?? job.rank) : jobs.map((job) => job.rank),
    slices.starts,
    slices.lengths,
    jobs.map((job) => job.input.contentType),
    jobs.map((job) => job.runTimeoutMs),
    jobs.map((job) => job.traceparent),
    ifAny(jobs.map((job) => job.priority || undefined)),
    ifAny(jobs.map((job) => job.fairnessKey)),
    ifAny(jobs.map((job) => job.limitKey || undefined)),
    ifAny(jobs.map((job) => job.limitId)),
    jobs.map(restOf),
    permitOf.map((permit) => permit?.sessionId),
    permitOf.map((permit) => permit?.creditId),
    [...new Set(permitOf.flatMap((permit) => permit?.sessionId ?? []))],
    [...new Set(jobs.flatMap((job, i) => (permitOf[i] ? job.laneId : [])))],
    limited?.laneId ?? null,
  ]);
  return insertedOf(rows, insertions);
}

function insertedOf(rows: readonly RowOf<typeof statement>[], insertions: readonly Insertion[]): Inserted {
  const first = new Set<SubmitCall>();
  const openSessions = new Set<string>();
  const openLanes = new Set<number>();
  for (const row of rows) {
    if (row.session_id !== null) openSessions.add(row.session_id);
    else if (row.lane_id !== null) openLanes.add(row.lane_id);
    else first.add((insertions[row.call as number] as Insertion).call);
  }
  return { first, openSessions, openLanes };
}
