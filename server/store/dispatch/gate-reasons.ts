/** What gates the lanes of ready jobs. Few jobs wait for that, so it is no part of the read of a job. */
import type { GatedLane } from '../../engine/ports/lanes.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { gates } from './gated-lanes.ts';
import { laneName } from './lanes.ts';

const readMany = {
  name: 'read_gate_reasons',
  text: `
SELECT n.lane_id, n.namespace, n.queue, n.definition, n.definition_version, n.demands, n.cleanup, n.gates, q.pause_reason, b.name AS breaker, b.probe_time, b.probe_job_id
FROM unnest($1::int[]) AS i (lane_id)
JOIN lanes n ON ${sameKey('n.lane_id', 'i.lane_id')}
LEFT JOIN queues q ON n.gates & ${gates.queuePaused} <> 0
  AND ${sameKey('q.namespace', 'n.namespace')} AND ${sameKey('q.name', 'n.queue')}
LEFT JOIN LATERAL (
  SELECT name, probe_time, probe_job_id FROM circuit_breakers c
  WHERE c.namespace = n.namespace AND c.name = n.breaker AND c.state <> 1 AND n.gates & ${gates.breakerOpen} <> 0 OFFSET 0
) AS b ON true`,
  row: {
    lane_id: 'int4',
    namespace: 'text',
    queue: 'text',
    definition: 'text',
    definition_version: 'int4',
    demands: 'text',
    cleanup: 'bool',
    gates: 'int2',
    pause_reason: 'text?',
    breaker: 'text?',
    probe_time: 'timestamptz?',
    probe_job_id: 'uuid?',
  },
} satisfies Statement;

function breakerOf(row: RowOf<typeof readMany>): GatedLane['breaker'] {
  if (row.breaker === null) return undefined;
  return { name: row.breaker, probeTimeUs: row.probe_time ?? undefined, probeJobId: row.probe_job_id ?? undefined };
}

export async function readGatedLanes(session: Session, laneIds: readonly number[]): Promise<GatedLane[]> {
  const rows = await session.run(readMany, [laneIds]);
  return rows.map((row) => ({
    laneId: row.lane_id,
    ...laneName(row),
    cleanup: row.cleanup,
    pauseReason: row.pause_reason ?? undefined,
    breaker: breakerOf(row),
    atLimit: (row.gates & gates.atLimit) !== 0,
    limited: (row.gates & gates.limited) !== 0,
  }));
}
