/** The cache of lanes in which jobs with fairness keys take turns. */
import { expect, it } from 'vitest';
import { FairRanks } from '../../../../server/engine/dispatch/fair-ranks.ts';
import type { FairLaneKey } from '../../../../server/engine/ports/dispatch.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';

const lane = (laneId: number) => ({ laneId, namespace: 'default', queue: `queue-${laneId}` });

function fakeStore(): Store {
  const statements: Partial<Store> = {
    lockFairnessKeys: async () => {},
    readWaitingFairnessKeys: async () => [],
    readFirstOfFairLanes: async (laneIds) => laneIds.map((laneId) => ({ ...lane(laneId), first: undefined })),
    readFairLanes: async (lanes: readonly FairLaneKey[]) =>
      lanes.map(({ laneId }) => ({
        ...lane(laneId),
        ...{ weights: undefined, headUs: undefined, floorUs: 0, hasAhead: false, nowUs: 1_000_000 },
      })),
    writeFairnessKeys: () => {},
  };
  return statements as Store;
}

const jobIn = (laneId: number) => ({ jobId: `job-${laneId}`, laneId, fairnessKey: 'a', priority: 0 });

it('ranks jobs of known and unknown lanes together while the cache is full', async () => {
  const ranks = new FairRanks(2);
  const store = fakeStore();
  await ranks.rank(store, [jobIn(1), jobIn(2)]);
  const both = await Promise.all([ranks.rank(store, [jobIn(2), jobIn(3)]), ranks.rank(store, [jobIn(1), jobIn(4)])]);
  expect(both.map((ranked) => [...ranked.keys()])).toEqual([
    ['job-2', 'job-3'],
    ['job-1', 'job-4'],
  ]);
});
