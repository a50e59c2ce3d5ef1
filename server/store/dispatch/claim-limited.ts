/** Jobs of a lane with limits: locked with the use of their keys, then assigned, or deferred at the limit of a key. */
import { limitMarks } from '../../domain/dispatch/limits.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { ClaimedJob, LaneToClaim, LimitedCandidate, Permit } from '../../engine/ports/dispatch.ts';
import type { LimitsToClaim } from '../../engine/ports/limits.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { claimedJob, claimedRowType, OVERHEAD_BYTES, recordOfRun, runTimeoutLeft } from './claim-jobs.ts';
import { addCounts } from './lane-counts.ts';
import { keyUse } from './limit-use.ts';

const lockCandidates = {
  name: 'lock_limited_candidates',
  text: `
WITH candidates AS MATERIALIZED (
  SELECT r.job_id, r.rank, r.input_size, r.limit_id FROM job_runs r
  WHERE r.lane_id = $1 AND r.state = ${stateCodes.READY} AND r.rank >= $2
  ORDER BY r.rank, r.job_id LIMIT $3 FOR UPDATE SKIP LOCKED
),
used AS MATERIALIZED (
  SELECT k.limit_id, ${keyUse('k.limit_id', '$4')} FROM (SELECT DISTINCT limit_id FROM candidates WHERE limit_id IS NOT NULL) AS k
)
SELECT c.*, u.held, u.full_time
FROM candidates c LEFT JOIN used u ON u.limit_id = c.limit_id ORDER BY c.rank, c.job_id`,
  row: {
    job_id: 'uuid',
    rank: 'int8',
    input_size: 'int4',
    limit_id: 'uuid?',
    held: 'int4?',
    full_time: 'timestamptz?',
  },
} satisfies Statement;

const columns = { job_id: 'uuid', session_id: 'uuid', credit_id: 'bigint', place: 'int' };

// This transaction has locked the rows already.
const claimMany = {
  name: 'claim_limited',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
claimed AS (
  UPDATE job_runs r
  SET state = ${stateCodes.ASSIGNED}, attempt = r.attempt + 1, revision = r.revision + 1, session_id = i.session_id,
      credit_id = i.credit_id, assign_time = now.time, due_time = NULL, reason = NULL,
      progress_sequence = 0, progress_fraction = NULL, progress_message = NULL, progress_counts = NULL,
      limit_mark = nullif(r.limit_mark, ${limitMarks.DEFERRED})
  FROM ${inputTable(columns, 'i')}, now WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id, r.lane_id, r.rank, r.attempt, r.attempt_count, ${runTimeoutLeft('r')} AS run_timeout_ms, i.place
),
${addCounts(`
    SELECT lane_id, to_state.state, to_state.sign * count(*) AS jobs
    FROM claimed CROSS JOIN (VALUES (${stateCodes.READY}, -1), (${stateCodes.ASSIGNED}, 1)) AS to_state (state, sign)
    GROUP BY lane_id, to_state.state, to_state.sign`)}
SELECT k.*, ${recordOfRun.columns} FROM claimed k ${recordOfRun.joins}`,
  row: { ...claimedRowType, place: 'int4' },
} satisfies Statement;

const deferMany = {
  name: 'defer_at_limit',
  text: `
WITH parked AS (
  UPDATE job_runs r SET lane_id = $2, limit_mark = coalesce(r.limit_mark, ${limitMarks.DEFERRED}) FROM unnest($1::uuid[]) AS i (job_id) WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id
),
${addCounts(`
    SELECT to_lane.lane_id, ${stateCodes.READY} AS state, to_lane.sign * count(*) AS jobs
    FROM parked CROSS JOIN (VALUES ($3::int, -1), ($2::int, 1)) AS to_lane (lane_id, sign)
    GROUP BY to_lane.lane_id, to_lane.sign`)}
SELECT count(*)::int AS jobs FROM parked`,
  row: { jobs: 'int4' },
} satisfies Statement;

export async function lockLimitedCandidates(
  session: Session,
  { laneId, cursor }: LaneToClaim,
  limit: number,
  maxHeld: number,
): Promise<LimitedCandidate[]> {
  const rows = await session.run(lockCandidates, [laneId, cursor, limit, maxHeld]);
  return rows.map((row) => ({
    jobId: row.job_id,
    limitId: row.limit_id ?? undefined,
    bytes: row.input_size + OVERHEAD_BYTES,
    held: row.held ?? 0,
    fullTimeUs: row.full_time,
  }));
}

export async function assignLocked(
  session: Session,
  jobIds: readonly string[],
  permits: readonly Permit[],
): Promise<ClaimedJob[]> {
  const rows = await session.run(claimMany, [
    jobIds,
    jobIds.map((_, i) => permits[i]?.sessionId),
    jobIds.map((_, i) => permits[i]?.creditId),
    jobIds.map((_, i) => i),
  ]);
  return rows.map((row) => claimedJob(row, permits[row.place] as Permit));
}

export function deferAtLimit(session: Session, jobIds: readonly string[], limits: LimitsToClaim): void {
  void session.run(deferMany, [jobIds, limits.atLimitLaneId, limits.laneId]);
}
