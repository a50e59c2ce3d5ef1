/**
 * Lanes that are held back: nothing is assigned from them, though their jobs are ready.
 *
 * Whatever assigns jobs of a lane locks its row FOR KEY SHARE, in the same statement, and requires that no bit is set.
 * Who sets one locks the row FOR UPDATE: that waits for the claims under way, and later ones see the bit. So once the
 * transaction that sets it has committed, nothing of the lane is assigned.
 */
import type { Claim } from '../../engine/ports/dispatch.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session } from '../driver/database.ts';

/**
 * Why a lane is held back; each reason comes and goes by itself, but for the last two, which say what the lane is for. Jobs
 * of one that is `limited`, or `demanding`, are claimed all the same, by those who look at its limits, or at what its jobs take.
 */
export const gates = { queuePaused: 1, breakerOpen: 2, limited: 4, atLimit: 8, demanding: 16 } as const;

/** What claims of a kind of their own look after. */
export const claimedSingly = gates.limited | gates.demanding;

/** What does not hold a claim back that looks at so much. */
export function passedBy({ probes, needs }: Pick<Claim, 'probes' | 'needs'>): number {
  return (probes ? gates.breakerOpen : 0) | (needs ? gates.demanding : 0);
}

export type GateReason = 'queuePaused' | 'breakerOpen';

// Locked by a CTE in the order of their ids. Where nothing would change, nothing is written, but all are locked: that
// waits for the claims under way in any case.
const setBit = {
  name: 'hold_lanes_back',
  text: `
WITH locked AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = ANY($1::int[]) ORDER BY lane_id FOR UPDATE
)
UPDATE lanes l SET held_back = CASE WHEN $3::boolean THEN l.held_back | $2::smallint ELSE l.held_back & ~$2::smallint END
FROM locked
WHERE ${sameKey('l.lane_id', 'locked.lane_id')} AND (l.held_back & $2::smallint <> 0) IS DISTINCT FROM $3::boolean
RETURNING l.lane_id, l.held_back`,
};

/**
 * Within a transaction, which has to keep others from making lanes that should be among these. Returns the lanes that the
 * change has let go: no other reason holds them back.
 */
export async function gateLanes(
  session: Session,
  laneIds: readonly number[],
  reason: GateReason,
  isHeld: boolean,
): Promise<number[]> {
  if (laneIds.length === 0) return [];
  const rows = await session.run(setBit, [laneIds, gates[reason], isHeld]);
  return rows.filter((row) => (row.held_back & ~claimedSingly) === 0).map((row) => row.lane_id);
}
