/**
 * Gated lanes: nothing is assigned from them, though their jobs are ready.
 * Each statement that assigns jobs of a lane locks its row FOR KEY SHARE, and requires that no bit is set. A change
 * that sets a bit locks the row FOR UPDATE: that waits for the claims under way, and later claims see the bit. So once
 * the transaction that sets it has committed, nothing of the lane is assigned.
 */
import type { PassedGates } from '../../engine/ports/dispatch.ts';
import type { GateReason } from '../../engine/ports/lanes.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';

/**
 * Gates of a lane. Each is set and cleared independently, except the last two, which state the kind of the lane. Jobs
 * of a `limited` or `demanding` lane are still claimed, by claims that check its limits or its demands.
 */
export const gates = { queuePaused: 1, breakerOpen: 2, limited: 4, atLimit: 8, demanding: 16 } as const;

/** Gates that special claims check themselves. */
export const claimedSingly = gates.limited | gates.demanding;

/** Gates that this claim may ignore because it checks them itself. */
export function passedBy({ probes, needs }: PassedGates): number {
  return (probes ? gates.breakerOpen : 0) | (needs ? gates.demanding : 0);
}

// Locked by a CTE in the order of their ids. Where nothing would change, nothing is written, but all are locked: that
// waits for the claims under way in any case.
const setBit = {
  name: 'gate_lanes',
  text: `
WITH locked AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = ANY($1::int[]) ORDER BY lane_id FOR UPDATE
)
UPDATE lanes l SET gates = CASE WHEN $3::boolean THEN l.gates | $2::smallint ELSE l.gates & ~$2::smallint END
FROM locked
WHERE ${sameKey('l.lane_id', 'locked.lane_id')} AND (l.gates & $2::smallint <> 0) IS DISTINCT FROM $3::boolean
RETURNING l.lane_id, l.gates`,
  row: { lane_id: 'int4', gates: 'int2' },
} satisfies Statement;

export async function gateLanes(
  session: Session,
  laneIds: readonly number[],
  reason: GateReason,
  isHeld: boolean,
): Promise<number[]> {
  if (laneIds.length === 0) return [];
  const rows = await session.run(setBit, [laneIds, gates[reason], isHeld]);
  return rows.filter((row) => (row.gates & ~claimedSingly) === 0).map((row) => row.lane_id);
}
