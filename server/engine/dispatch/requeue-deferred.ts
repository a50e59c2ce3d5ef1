/** Moves deferred jobs, which wait for capacity of their limit key, back to the ready jobs of their lanes. */
import { keyCapacity } from '../../domain/dispatch/limit-use.ts';
import { type Headroom, headroomOf } from '../../domain/dispatch/limits.ts';
import type { LimitedKey, Requeued } from '../ports/limits.ts';
import type { Store } from '../ports/store.ts';

/** Max jobs requeued per key and transaction. */
const MAX_REQUEUED = 1_000;
/** Max jobs reopened at once of a key that no longer has a limit. */
const MAX_REOPENED = 10_000;

/** Requeues as many jobs of each key as it has capacity for. */
export function requeueDeferred(store: Store, limitIds: readonly string[]): Promise<Requeued> {
  return store.together(async (tx) => {
    const keys = await tx.readDeferredKeys(limitIds);
    const headrooms = keys.map((key) => ({ limitId: key.limitId, headroom: headroomOfKey(key) }));
    const open = headrooms.filter(({ headroom }) => headroom.jobs > 0);
    const capacities = open.map(({ limitId, headroom }) => ({ limitId, jobs: maxJobs(headroom) }));
    const lanes = capacities.length > 0 ? await tx.requeueFirst(capacities) : [];
    const later = headrooms.flatMap(({ limitId, headroom }) =>
      headroom.openTimeUs === undefined ? [] : [{ limitId, openTimeUs: headroom.openTimeUs }],
    );
    return { deferred: keys.map((key) => key.limitId), lanes, later };
  });
}

function headroomOfKey({ limits, nowUs, ...use }: LimitedKey): Headroom {
  return headroomOf(keyCapacity(limits, use), limits?.rateCost ?? 1, nowUs);
}

function maxJobs({ jobs }: Headroom): number {
  return Math.min(jobs, Number.isFinite(jobs) ? MAX_REQUEUED : MAX_REOPENED);
}
