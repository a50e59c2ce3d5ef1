/** What holds the lanes of ready jobs back, for people. Few jobs wait for that, so it is no part of reading a job. */
import { stateCodes } from '../../domain/job-state.ts';
import type { Row, Session } from '../database.ts';
import { sameKey } from '../same-key.ts';
import { timestampOf } from '../times.ts';
import { heldBack } from './held-lanes.ts';

/** Reasons by the id of the lane. */
export type HoldReasons = ReadonlyMap<number, string>;

const readMany = {
  name: 'read_hold_reasons',
  text: `
SELECT n.lane_id, n.queue, q.pause_reason, b.name AS breaker, b.probe_time, b.probe_job_id
FROM unnest($1::int[]) AS i (lane_id)
JOIN lanes n ON ${sameKey('n.lane_id', 'i.lane_id')}
LEFT JOIN queues q ON n.held_back & ${heldBack.queuePaused} <> 0
  AND ${sameKey('q.namespace', 'n.namespace')} AND ${sameKey('q.name', 'n.queue')}
LEFT JOIN LATERAL (
  SELECT name, probe_time, probe_job_id FROM circuit_breakers c
  WHERE c.namespace = n.namespace AND c.name = n.breaker AND c.state <> 1 AND n.held_back & ${heldBack.breakerOpen} <> 0 OFFSET 0
) AS b ON true`,
};

function reasonOf(row: Row): string | undefined {
  if (row.pause_reason !== null)
    return `queue ${row.queue} is paused${row.pause_reason === '' ? '' : `: ${row.pause_reason}`}`;
  if (row.breaker === null) return undefined;
  const next =
    row.probe_time === null
      ? `job ${row.probe_job_id} is the probe`
      : `a probe is made at ${timestampOf(row.probe_time)}`;
  return `held back: circuit breaker ${row.breaker} is open; ${next}`;
}

/** Of rows with `state`, `held_back` and `lane_id`. A lane that was let go since the rows were read has no reason any more. */
export async function readHoldReasons(session: Session, rows: readonly Row[]): Promise<HoldReasons> {
  const held = rows.filter((row) => row.state === stateCodes.READY && row.held_back !== 0).map((row) => row.lane_id);
  if (held.length === 0) return new Map();
  const found = await session.run(readMany, [[...new Set(held)]]);
  return new Map(
    found.flatMap((row) => {
      const reason = reasonOf(row);
      return reason === undefined ? [] : [[row.lane_id, reason] as const];
    }),
  );
}
