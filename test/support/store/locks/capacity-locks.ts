/** Claims of jobs whose resources are all taken, and the reservations that their lanes get. */
import type { StoreContext } from '../store-context.ts';
import { demandingLane } from '../store-demands.ts';
import { jobsOf, MAX_BYTES, submitMany } from '../store-fixtures.ts';
import { groupOf, type LockedRows, type Operation, openAgain, turned } from './locked-rows.ts';

interface CapacityRows {
  readonly demandingLaneIds: readonly number[];
}

const operations: Record<string, Operation<CapacityRows>> = {
  // The first claims fill the sessions and drop the reservations; the others find no capacity and ask for it.
  'claim reserved capacity': async (store, isReversed, { demandingLaneIds, sessionIds }) => {
    const permits = turned(sessionIds, isReversed).map((sessionId) => ({ sessionId, creditId: 5, prefetch: false }));
    const lanes = turned(demandingLaneIds, isReversed);
    for (const laneId of [...lanes, ...lanes])
      await jobsOf(store.claim({ permits, lanes: [{ laneId, cursor: 0 }], needs: { cpu: 2 }, maxBytes: MAX_BYTES }));
  },
  'renew reservations': (store) => store.renewReservations(),
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<CapacityRows & { readonly reset: string }> {
  const demandingLaneIds = [1, 2].map((n) => demandingLane(context, { cpu: 2 }, { definition: `demanding-${n}` }));
  const lanes = await Promise.all(demandingLaneIds);
  const jobs = await Promise.all(
    lanes.map(async (laneId) => (await submitMany(context, laneId, 6)).map((jobId) => ({ jobId, laneId, state: 3 }))),
  );
  const reserved = lanes.map((laneId) => `(${laneId}, muster_now(), muster_now() - interval '3 s')`);
  const reset = `${openAgain(jobs.flat())}
INSERT INTO reservations (lane_id, since_time, ask_time) VALUES ${reserved};`;
  return { demandingLaneIds: lanes, reset };
}

export const capacityLocks = groupOf(operations, makeRows);
