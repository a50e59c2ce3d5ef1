/** Circuit breakers that are not closed: outcomes of their probes, jobs for the next probe, and the lock for it. */

import { stateCodes } from '../../domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../domain/jobs/run.ts';
import type { BreakerKey, LockedBreaker, OpenBreaker, ProbeEnd } from '../../engine/ports/breakers.ts';
import type { LaneHead } from '../../engine/ports/lanes.ts';
import { columnsOf } from '../base/columns.ts';
import { failureOf } from '../base/failure-text.ts';
import { sameKey } from '../base/same-key.ts';
import { claimedSingly, gates } from '../dispatch/gated-lanes.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { breakerRow, breakerRowType, lockedBreaker, storedBreakerType } from './circuit-breakers.ts';

// The record has the lane: a run is deleted once it has ended. One snapshot, so that an attempt is found in one table
// or the other. The time of creation keeps the planner from reading the whole of an index that has the lane.
const readOpen = {
  name: 'read_open_breakers',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
b AS MATERIALIZED (
  SELECT * FROM circuit_breakers WHERE state <> 1 AND (namespace, name) > ($1, $2) ORDER BY namespace, name LIMIT $3
)
SELECT ${columnsOf(storedBreakerType, 'b')}, now.time AS now, j.lane_id, j.create_time, r.state AS run_state, r.attempt AS run_attempt,
       a.outcome, a.failure AS attempt_failure, o.state AS end_state, o.attempt AS end_attempt, o.failure AS end_failure
FROM b CROSS JOIN now
LEFT JOIN LATERAL (SELECT lane_id, create_time FROM jobs WHERE jobs.job_id = b.probe_job_id OFFSET 0) AS j ON true
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'b.probe_job_id')}
LEFT JOIN job_attempts a ON ${sameKey('a.job_id', 'b.probe_job_id')} AND ${sameKey('a.attempt', 'b.probe_attempt')}
LEFT JOIN LATERAL (
  SELECT state, attempt, failure FROM job_outcomes WHERE job_outcomes.job_id = b.probe_job_id OFFSET 0
) AS o ON true
ORDER BY b.namespace, b.name`,
  row: {
    ...breakerRowType,
    lane_id: 'int4?',
    create_time: 'timestamptz?',
    run_state: 'int2?',
    run_attempt: 'int4?',
    outcome: 'int2?',
    attempt_failure: 'text?',
    end_state: 'int2?',
    end_attempt: 'int4?',
    end_failure: 'text?',
  },
} satisfies Statement;

// Only lanes with no other gate.
const readLanesToTry = {
  name: 'read_lanes_to_probe',
  text: `
SELECT l.lane_id, h.rank, l.gates & ${gates.limited} <> 0 AS limited FROM lanes l CROSS JOIN LATERAL (
  SELECT rank FROM job_runs WHERE job_runs.lane_id = l.lane_id AND state = ${stateCodes.READY} ORDER BY rank LIMIT 1
) AS h
WHERE l.namespace = $1 AND l.breaker = $2 AND l.gates & ~${gates.breakerOpen | claimedSingly}::smallint = 0
  AND (h.rank, l.lane_id) > ($3, $4)
ORDER BY h.rank, l.lane_id LIMIT $5`,
  row: { lane_id: 'int4', rank: 'int8', limited: 'bool' },
} satisfies Statement;

// Never waits: the holder of the lock is making a probe, or closes the breaker.
const lockDue = {
  name: 'lock_breaker_to_probe',
  text: `
SELECT ${columnsOf(storedBreakerType)}, (SELECT muster_now()) AS now FROM circuit_breakers
WHERE namespace = $1 AND name = $2 AND state = 2 FOR UPDATE SKIP LOCKED`,
  row: breakerRowType,
} satisfies Statement;

function probeEnd(row: RowOf<typeof readOpen>): ProbeEnd {
  if (row.run_attempt === row.probe_attempt && row.run_state !== null) {
    // An attempt that is asked to stop says nothing about the dependency's health.
    if (row.run_state === stateCodes.ASSIGNED || row.run_state === stateCodes.RUNNING) return { kind: 'none' };
  }
  if (row.outcome === attemptOutcomes.FAILED || row.outcome === attemptOutcomes.TIMED_OUT)
    return { kind: 'failed', failure: failureOf(row.attempt_failure as string) };
  if (row.outcome === null && row.end_attempt === row.probe_attempt) {
    if (row.end_state === stateCodes.SUCCEEDED) return { kind: 'succeeded' };
    if (row.end_state === stateCodes.FAILED) return { kind: 'failed', failure: failureOf(row.end_failure as string) };
  }
  return { kind: 'gone' };
}

export async function readOpenBreakers(session: Session, after: BreakerKey, limit: number): Promise<OpenBreaker[]> {
  return (await session.run(readOpen, [after.namespace, after.name, limit])).map((row) => {
    const breaker = breakerRow(row);
    return {
      ...breaker,
      nowUs: row.now,
      probeLaneId: row.lane_id ?? undefined,
      probeEnd: breaker.probe ? probeEnd(row) : { kind: 'none' },
    };
  });
}

export async function readLanesToProbe(
  session: Session,
  { namespace, name }: BreakerKey,
  after: LaneHead,
  limit: number,
): Promise<LaneHead[]> {
  const rows = await session.run(readLanesToTry, [namespace, name, after.rank, after.laneId, limit]);
  return rows.map((row) => ({ laneId: row.lane_id, rank: row.rank, limited: row.limited }));
}

export async function lockBreakerToProbe(
  session: Session,
  { namespace, name }: BreakerKey,
): Promise<LockedBreaker | undefined> {
  const [row] = await session.run(lockDue, [namespace, name]);
  return row && lockedBreaker(row);
}
