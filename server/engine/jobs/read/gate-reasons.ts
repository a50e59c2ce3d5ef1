/** Text that says why the lanes of ready jobs are gated. Few jobs wait for that: their own records are read first. */
import { type GateReason, gateReason, limitReason } from '../../../domain/explain/gate-reason.ts';
import type { PlacementOffer } from '../../../domain/explain/placement-reason.ts';
import { readPlacementReason } from '../../explain/placement-reasons.ts';
import type { JobView, ListedJob } from '../../ports/jobs.ts';
import type { GatedLane } from '../../ports/lanes.ts';
import type { Store } from '../../ports/store.ts';
import { readOffers } from '../../sessions/offers.ts';

/** By lane id. */
export type GateReasons = ReadonlyMap<number, GateReason>;

/** Max lanes per list whose limits, and whose demands, are checked. */
const MAX_LIMITED = 20;
const MAX_DEMANDING = 20;
/** Rates give no reason, so their buckets are not read. */
const NO_BUCKET = '00000000-0000-0000-0000-000000000000';

/** A lane opened meanwhile has no reason. */
export async function readGateReasons(store: Store, jobs: readonly ListedJob[]): Promise<GateReasons> {
  const laneIds = jobs.filter(({ mayBeGated }) => mayBeGated).map(({ laneId }) => laneId);
  if (laneIds.length === 0) return new Map();
  const lanes = await store.readGatedLanes([...new Set(laneIds)]);
  const reasons = new Map<number, GateReason>();
  const offersOf = offersReader(store);
  let limited = 0;
  let demanding = 0;
  for (const lane of lanes) {
    const isExplained = (lane.limited || lane.atLimit) && limited < MAX_LIMITED;
    if (isExplained) limited++;
    const gate = gateReason(lane) ?? (isExplained ? await readLimitReason(store, lane) : undefined);
    const asks = gate === undefined && lane.demands !== '' && demanding++ < MAX_DEMANDING;
    const reason = asks ? await readPlacementReason(store, lane, offersOf) : gate;
    if (reason !== undefined) reasons.set(lane.laneId, reason);
  }
  return reasons;
}

/** Reads once per namespace, for all of its lanes. */
function offersReader(store: Store): (namespace: string) => Promise<readonly PlacementOffer[]> {
  const offers = new Map<string, Promise<readonly PlacementOffer[]>>();
  return (namespace) => {
    const read = offers.get(namespace) ?? readOffers(store, namespace);
    offers.set(namespace, read);
    return read;
  };
}

async function readLimitReason(store: Store, lane: GatedLane): Promise<GateReason | undefined> {
  const { namespace, queue, definition } = lane;
  const buckets = { queueBucketId: NO_BUCKET, definitionBucketId: NO_BUCKET };
  return limitReason(lane, await store.readLimitUse({ namespace, queue, definition, ...buckets }));
}

/** The job with the reason that its lane has, if it waits for that. */
export function withGateReason({ view, laneId, mayBeGated }: ListedJob, reasons: GateReasons): JobView {
  const gate = mayBeGated ? reasons.get(laneId) : undefined;
  return gate ? { ...view, reason: gate.text, waitReason: gate.reason } : view;
}
