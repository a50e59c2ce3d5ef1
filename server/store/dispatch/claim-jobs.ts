/** Claims ready jobs of a few lanes for the permits of sessions: one statement, one transaction. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit } from '../../engine/ports/dispatch.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';
import { passedBy } from './gated-lanes.ts';
import { addCounts } from './lane-counts.ts';

/** Bytes of an assignment besides the input, counted into the byte bound. */
export const OVERHEAD_BYTES = 512;

/**
 * The columns and joins that an assignment needs of the job's record and its last checkpoint, for a run aliased `k`.
 */
// OFFSET 0 keeps the planner from turning the look-ups by key into scans of whole partitions.
export const recordOfRun = {
  columns: `j.input, j.input_content_type, j.input_metadata, j.traceparent, j.tracestate, j.run_time,
    c.data AS checkpoint, c.content_type AS checkpoint_content_type, c.metadata AS checkpoint_metadata`,
  joins: `
CROSS JOIN LATERAL (
  SELECT input, input_content_type, input_metadata, traceparent, tracestate, run_time FROM jobs WHERE jobs.job_id = k.job_id OFFSET 0
) AS j
LEFT JOIN LATERAL (
  SELECT data, content_type, metadata FROM job_checkpoints WHERE job_checkpoints.job_id = k.job_id AND k.attempt > 1 OFFSET 0
) AS c ON true`,
};

/** The run timeout in ms, or what the job's deadline leaves of it, so that the worker stops the handler itself. */
export function runTimeoutLeft(run: string): string {
  const left = `(extract(epoch FROM ${run}.deadline - now.time) * 1000)::bigint`;
  return `CASE WHEN ${run}.deadline IS NULL THEN ${run}.run_timeout_ms ELSE greatest(1, least(${run}.run_timeout_ms, ${left})) END`;
}

export const claimedRowType = {
  job_id: 'uuid',
  lane_id: 'int4',
  rank: 'int8',
  attempt: 'int4',
  attempt_count: 'int4',
  run_timeout_ms: 'int8',
  input: 'bytea',
  input_content_type: 'text',
  input_metadata: 'text?',
  traceparent: 'text?',
  tracestate: 'text?',
  run_time: 'timestamptz?',
  checkpoint: 'bytea?',
  checkpoint_content_type: 'text?',
  checkpoint_metadata: 'text?',
} satisfies RowType;

// The session rows are locked FOR KEY SHARE: a close (FOR UPDATE) waits for the claim or the claim sees it closed, so
// no claim can land on a closed session. The rows of the lanes likewise: once a lane is gated, no claim takes anything
// from it. SKIP LOCKED: a claim never waits. The byte bound stands in a CTE above the one that locks, since PostgreSQL
// refuses a window function together with FOR UPDATE. Permits are arrays read by subscript: the planner would join two
// lists of unknown length by a nested loop (1,000 permits: 250 ms). An IN that is combined with an OR is looked up in a
// hash table, where an IN alone would become such a join too.
const statement = {
  name: 'claim_jobs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
places AS MATERIALIZED (
  SELECT count(*) AS total, array_agg(p.session_id ORDER BY p.place) AS session_ids,
         array_agg(p.credit_id ORDER BY p.place) AS credit_ids, array_agg(p.place ORDER BY p.place) AS places
  FROM ${inputTable({ session_id: 'uuid', credit_id: 'bigint', place: 'int' }, 'p', 2)}
  WHERE p.session_id IS NULL OR p.session_id IN (SELECT session_id FROM open_sessions)
),
open_lanes AS MATERIALIZED (
  SELECT l.lane_id, l.cursor_rank
  FROM ${inputTable({ lane_id: 'int', cursor_rank: 'bigint' }, 'l', 5)} JOIN lanes ON ${sameKey('lanes.lane_id', 'l.lane_id')}
  WHERE lanes.gates & ~$8::smallint = 0 ORDER BY l.lane_id FOR KEY SHARE OF lanes SKIP LOCKED
),
candidates AS MATERIALIZED (
  SELECT c.job_id, c.rank, c.input_size
  FROM open_lanes l CROSS JOIN LATERAL (
    SELECT r.job_id, r.rank, r.input_size FROM job_runs r
    WHERE r.lane_id = l.lane_id AND r.state = ${stateCodes.READY} AND r.rank >= l.cursor_rank
    ORDER BY r.rank, r.job_id
    LIMIT (SELECT total FROM places)
    FOR UPDATE SKIP LOCKED
  ) AS c
),
chosen AS MATERIALIZED (
  SELECT job_id, row_number() OVER w AS place, sum(input_size + ${OVERHEAD_BYTES}) OVER w AS bytes
  FROM candidates WINDOW w AS (ORDER BY rank, job_id)
),
claimed AS (
  UPDATE job_runs r
  SET state = ${stateCodes.ASSIGNED}, attempt = r.attempt + 1, revision = r.revision + 1, session_id = p.session_ids[c.place],
      credit_id = p.credit_ids[c.place], assign_time = now.time, due_time = NULL, reason = NULL,
      progress_sequence = 0, progress_fraction = NULL, progress_message = NULL, progress_counts = NULL
  FROM chosen c, places p, now
  WHERE ${sameKey('r.job_id', 'c.job_id')} AND c.place <= p.total AND (c.bytes <= $7::bigint OR c.place = 1)
  RETURNING r.job_id, r.lane_id, r.rank, r.attempt, r.attempt_count, ${runTimeoutLeft('r')} AS run_timeout_ms,
            p.places[c.place] AS place
),
${addCounts(`
    SELECT lane_id, to_state.state, to_state.sign * count(*) AS jobs
    FROM claimed CROSS JOIN (VALUES (${stateCodes.READY}, -1), (${stateCodes.ASSIGNED}, 1)) AS to_state (state, sign)
    GROUP BY lane_id, to_state.state, to_state.sign`)}
SELECT k.*, ${recordOfRun.columns},
       (SELECT array_agg(lane_id) FROM unnest($5::int[]) AS h (lane_id) WHERE lane_id NOT IN (SELECT lane_id FROM open_lanes)) AS gates
FROM claimed k ${recordOfRun.joins}`,
  row: { ...claimedRowType, place: 'int4', gates: 'int4[]?' },
} satisfies Statement;

export function payloadOf(data: Uint8Array, contentType: string, metadata: string | null) {
  return {
    data,
    contentType,
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as Record<string, string> }),
  };
}

export function claimedJob(row: RowWith<typeof claimedRowType>, { sessionId, creditId, prefetch }: Permit): ClaimedJob {
  return {
    jobId: row.job_id,
    laneId: row.lane_id,
    rank: row.rank,
    attempt: row.attempt,
    attemptCount: row.attempt_count,
    runTimeoutMs: row.run_timeout_ms,
    sessionId,
    creditId,
    prefetch,
    input: payloadOf(row.input, row.input_content_type, row.input_metadata),
    checkpoint:
      row.checkpoint === null
        ? undefined
        : payloadOf(row.checkpoint, row.checkpoint_content_type as string, row.checkpoint_metadata),
    traceparent: row.traceparent ?? '',
    tracestate: row.tracestate ?? '',
    runTimeUs: row.run_time ?? undefined,
  };
}

/**
 * One statement, for lanes without limits, suspects or demands, or with demands that the sessions of the permits meet.
 */
export async function claimJobs(session: Session, claim: Claim): Promise<ClaimResult> {
  const rows = await session.run(statement, [
    [...new Set(claim.permits.map((permit) => permit.sessionId))],
    claim.permits.map((permit) => permit.sessionId),
    claim.permits.map((permit) => permit.creditId),
    claim.permits.map((_, permit) => permit),
    claim.lanes.map((lane) => lane.laneId),
    claim.lanes.map((lane) => lane.cursor),
    claim.maxBytes,
    passedBy(claim),
  ]);
  return {
    jobs: rows.map((row) => claimedJob(row, claim.permits[row.place] as Permit)),
    gatedLaneIds: rows[0]?.gates ?? [],
  };
}
