/** Lanes with waiting jobs, from existing counts: for the metrics of why jobs wait. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { WaitingLane } from '../../engine/ports/explanations.ts';
import { gates } from '../dispatch/gated-lanes.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';

const { BLOCKED, SCHEDULED, READY, PAUSED } = stateCodes;

const sumOf = (state: number) => `coalesce(sum(jobs) FILTER (WHERE state = ${state}), 0)::bigint`;

// Both tables in one statement, so that they are read at the same moment.
const readMany = {
  name: 'read_backlog_lanes',
  text: `
WITH counts AS MATERIALIZED (
  SELECT lane_id, ${sumOf(READY)} AS ready, ${sumOf(SCHEDULED)} AS scheduled, ${sumOf(PAUSED)} AS paused, ${sumOf(BLOCKED)} AS blocked, sum(jobs) AS jobs
  FROM (
    SELECT lane_id, state, jobs FROM lane_counts WHERE jobs <> 0
    UNION ALL SELECT lane_id, state, jobs FROM lane_count_changes
  ) AS parts WHERE state IN (${READY}, ${SCHEDULED}, ${PAUSED}, ${BLOCKED}) GROUP BY lane_id HAVING sum(jobs) > 0
)
SELECT c.lane_id, c.ready, c.scheduled, c.paused, c.blocked, l.gates FROM counts c
CROSS JOIN LATERAL (SELECT gates FROM lanes WHERE lanes.lane_id = c.lane_id OFFSET 0) AS l
ORDER BY c.jobs DESC, c.lane_id LIMIT $1`,
  row: { lane_id: 'int4', ready: 'int8', scheduled: 'int8', paused: 'int8', blocked: 'int8', gates: 'int2' },
} satisfies Statement;

function gateOf({ gates: bits }: RowOf<typeof readMany>): WaitingLane['gate'] {
  if (bits & gates.queuePaused) return 'queue_paused';
  if (bits & gates.breakerOpen) return 'circuit_breaker';
  return bits & gates.atLimit ? 'key_limit' : undefined;
}

export async function readWaitingLanes(session: Session, limit: number): Promise<WaitingLane[]> {
  const rows = await session.run(readMany, [limit]);
  return rows.map((row) => ({
    laneId: row.lane_id,
    ready: row.ready,
    scheduled: row.scheduled,
    paused: row.paused,
    blocked: row.blocked,
    gate: gateOf(row),
    limited: (row.gates & gates.limited) !== 0,
  }));
}
