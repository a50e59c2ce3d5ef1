/**
 * Claims jobs of a lane with limits. Jobs whose keys are exhausted are deferred, so that later claims don't scan them.
 */

import { admit, limitMarks } from '../../domain/dispatch/limits.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit } from '../../engine/ports/dispatch.ts';
import type { LimitsToClaim } from '../../engine/ports/limits.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { claimedJob, claimedRowType, OVERHEAD_BYTES, recordOfRun, runTimeoutLeft } from './claim-jobs.ts';
import { addCounts } from './lane-counts.ts';
import { headroomsOf, keyHeadrooms, lockCapacity, takeUnitsOf } from './limit-headroom.ts';
import { keyUse } from './limit-use.ts';

/** Min jobs scanned per claim where some may be at the limit of their keys. */
const MIN_SCANNED = 100;

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
      progress_sequence = 0, progress_fraction = NULL, progress_message = NULL,
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

/** Within a transaction. */
export async function claimLimited(session: Session, claim: Claim, limits: LimitsToClaim): Promise<ClaimResult> {
  const sessionIds = claim.permits.map((permit) => permit.sessionId);
  const under = await lockCapacity(session, limits, sessionIds, claim);
  const { use, headroom } = under;
  const permits = claim.permits.filter((permit) => under.openSessions.has(permit.sessionId));
  const most = under.isOpen ? Math.min(headroom.jobs, permits.length) : 0;
  const { maxConcurrency: heldAtMost = 0 } = use.limits.definition?.keyLimit ?? {};
  const asked = use.limits.definition?.keyLimit ? Math.max(most, MIN_SCANNED) : most;
  const rows = most > 0 ? await session.run(lockCandidates, [limits.laneId, cursorOf(claim), asked, heldAtMost]) : [];
  const keys = keyHeadrooms(rows, under);
  const listed = rows.map((row) => ({
    jobId: row.job_id,
    limitId: row.limit_id ?? undefined,
    bytes: row.input_size + OVERHEAD_BYTES,
  }));
  const { admitted, over } = admit(listed, headroomsOf(keys), most, claim.maxBytes);
  const jobs = await assign(session, admitted, permits);
  if (over.length > 0) void session.run(deferMany, [over, limits.atLimitLaneId, limits.laneId]);
  const limitIds = new Map(listed.map(({ jobId, limitId }) => [jobId, limitId]));
  const taken = admitted.map((jobId) => ({ limitId: limitIds.get(jobId) }));
  takeUnitsOf(session, limits, under, keys, taken);
  return {
    jobs,
    gatedLaneIds: [],
    limits: {
      exhausted: under.isOpen && admitted.length >= headroom.jobs,
      openTimeUs: headroom.openTimeUs,
      deferred: [...new Set(over.flatMap((jobId) => limitIds.get(jobId) ?? []))],
      // The lane is dry: the next claim would find no more, as with an empty lane, while no session takes anything or
      // it is gated.
      dry:
        permits.length === 0 ||
        (under.isCurrent && !under.isOpen) ||
        (most > 0 && rows.length < asked && admitted.length + over.length === rows.length),
    },
  };
}

function cursorOf({ lanes }: Claim): number {
  return lanes[0]?.cursor ?? 0;
}

async function assign(session: Session, jobIds: readonly string[], permits: readonly Permit[]): Promise<ClaimedJob[]> {
  if (jobIds.length === 0) return [];
  const rows = await session.run(claimMany, [
    jobIds,
    jobIds.map((_, i) => permits[i]?.sessionId),
    jobIds.map((_, i) => permits[i]?.creditId),
    jobIds.map((_, i) => i),
  ]);
  return rows.map((row) => claimedJob(row, permits[row.place] as Permit));
}
