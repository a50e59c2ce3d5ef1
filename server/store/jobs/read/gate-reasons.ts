/**
 * Text that says why the lanes of ready jobs are gated. Few jobs wait for that, so it is no part of the read of a job.
 */

import {
  breakerText,
  concurrencyText,
  keyText,
  momentText,
  queuePausedText,
} from '../../../domain/explain/pause-texts.ts';
import type { WaitReason } from '../../../domain/explain/wait-reasons.ts';
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import { sameKey } from '../../base/same-key.ts';
import { gates } from '../../dispatch/gated-lanes.ts';
import { type LimitedLane, readLimitUse } from '../../dispatch/limit-use.ts';
import { readOffers } from '../../dispatch/offers.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf, RowWith } from '../../driver/row-types.ts';
import { readPlacementReason } from '../../explain/placement-reasons.ts';
import { NIL_UUID } from '../../upkeep/expire-jobs.ts';

export interface GateReason {
  readonly reason: WaitReason;
  readonly text: string;
}

/** By lane id. */
export type GateReasons = ReadonlyMap<number, GateReason>;

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

type GatedLane = RowOf<typeof readMany>;

/** The columns of a job's row that say whether its lane may be gated. */
type MaybeGatedRow = RowWith<{ state: 'int2'; gates: 'int2'; has_demands: 'bool'; run_lane_id: 'int4' }>;

/** Max lanes per list whose limits, and whose demands, are checked. */
const MAX_LIMITED = 20;
const MAX_DEMANDING = 20;

/** Whether the job's lane may be gated for a reason that the job's own row does not show. */
export function mayBeGated(row: MaybeGatedRow): boolean {
  return row.state === stateCodes.READY && (row.gates !== 0 || row.has_demands);
}

/** An exhausted limit of concurrency. Rates recover by themselves: a job that waits for one gives no reason. */
async function limitReason(session: Session, row: GatedLane): Promise<GateReason | undefined> {
  const lane = { ...(row as LimitedLane), queueBucketId: NIL_UUID, definitionBucketId: NIL_UUID };
  const { limits, queue, definition } = await readLimitUse(session, lane);
  if (row.gates & gates.atLimit)
    return { reason: 'KEY_LIMIT', text: keyText(row.definition, limits.definition?.keyLimit ?? {}) };
  for (const [reason, what, use] of [
    ['DEFINITION_LIMIT', `definition ${row.definition}`, definition],
    ['QUEUE_LIMIT', `queue ${row.queue}`, queue],
  ] as const)
    if (use?.maxConcurrency !== undefined && use.held >= use.maxConcurrency)
      return { reason, text: concurrencyText(what, use) };
  return undefined;
}

function reasonOf(row: GatedLane): GateReason | undefined {
  if (row.pause_reason !== null) return { reason: 'QUEUE_PAUSED', text: queuePausedText(row.queue, row.pause_reason) };
  if (row.breaker === null) return undefined;
  const next =
    row.probe_time === null
      ? `job ${row.probe_job_id} is the probe`
      : `a probe is made at ${momentText(row.probe_time)}`;
  return { reason: 'CIRCUIT_BREAKER', text: breakerText(row.breaker, next) };
}

/** A lane opened meanwhile has no reason. */
export async function readGateReasons(session: Session, rows: readonly MaybeGatedRow[]): Promise<GateReasons> {
  const held = rows.filter(mayBeGated).map((row) => row.run_lane_id);
  if (held.length === 0) return new Map();
  const found = await session.run(readMany, [[...new Set(held)]]);
  const reasons = new Map<number, GateReason>();
  // Read once per namespace, for all of its lanes.
  const offers = new Map<string, ReturnType<typeof readOffers>>();
  const offersOf = (namespace: string) => {
    const read = offers.get(namespace) ?? readOffers(session, namespace);
    offers.set(namespace, read);
    return read;
  };
  let limited = 0;
  let demanding = 0;
  for (const row of found) {
    const isExplained = row.gates & (gates.limited | gates.atLimit) && limited < MAX_LIMITED;
    const reason = reasonOf(row) ?? (isExplained ? await limitReason(session, row) : undefined);
    if (isExplained) limited++;
    const asks = reason === undefined && row.demands !== '' && demanding++ < MAX_DEMANDING;
    const held = asks ? await readPlacementReason(session, row, offersOf) : reason;
    if (held !== undefined) reasons.set(row.lane_id, held);
  }
  return reasons;
}
