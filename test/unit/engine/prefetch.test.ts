/** Prefetch is not for sessions that an older job waits for a slot of. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LaneKey, SessionClass } from '../../../server/domain/dispatch/placement.ts';
import { Definitions } from '../../../server/engine/definitions/definitions.ts';
import { immediatePlaces } from '../../../server/engine/dispatch/immediate-places.ts';
import type { KnownLane } from '../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../server/engine/dispatch/lanes.ts';
import { type ParkedClass, ParkedCredits } from '../../../server/engine/dispatch/parked-credits.ts';
import { kindsFor } from '../../../server/engine/dispatch/prefetch.ts';
import { makeJob } from '../../support/store-fixtures.ts';
import { LaneStore } from './lane-store.ts';
import { VirtualTime } from './virtual-time.ts';

const offer: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
  resources: { gpu: 1_000 },
};
const needsGpu = JSON.stringify([{}, { resources: { gpu: 1_000 } }]);
const limits = { takesSlotsOnly: ({ limited, tight }: KnownLane) => limited && tight };

let lanes: Lanes;
let credits: ParkedCredits;

beforeEach(() => {
  const store = new LaneStore();
  const time = new VirtualTime();
  lanes = new Lanes(store, new Definitions(store, time));
  credits = new ParkedCredits(time);
  for (const name of ['a', 'b']) credits.park(name, offer, [{ creditId: 1, slots: 0, prefetch: 1 }], name);
});

/** A lane with ready jobs from a rank on. */
async function lane(rank: number, changes: Partial<LaneKey & KnownLane> = {}): Promise<KnownLane> {
  const { queue = 'default', demands = '', suspect = false, ...rest } = changes;
  const key = { namespace: 'default', queue, definition: 'mail', definitionVersion: 1, demands, suspect };
  const laneId = await lanes.idOf(key);
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank, limited: rest.limited });
  return Object.assign(lanes.get(laneId) as KnownLane, rest);
}

/** The sessions whose prefetch plain jobs from this rank on get. */
async function prefetchedBy(rank: number): Promise<string[]> {
  const parked = credits.classOf('a') as ParkedClass;
  const kinds = kindsFor(lanes, limits, parked, await lane(rank, { queue: 'plain' }), rank);
  const places = credits.take(parked, 10, kinds);
  credits.giveBack(places);
  return places.map(({ sessionId }) => sessionId);
}

describe('prefetch', () => {
  it('is for jobs that nothing older waits before', async () => {
    expect(await prefetchedBy(5)).toEqual(['a', 'b']);
    await lane(6, { demands: needsGpu });
    expect(await prefetchedBy(5)).toEqual(['a', 'b']);
  });

  it('is kept from younger jobs while one waits for a slot that takes amounts, is a suspect, or is near a limit', async () => {
    const unlike: Partial<LaneKey & KnownLane>[] = [
      { demands: needsGpu },
      { suspect: true },
      { queue: 'limited', limited: true, tight: true },
    ];
    for (const changes of unlike) {
      const older = await lane(1, changes);
      expect(await prefetchedBy(5)).toEqual([]);
      older.head = undefined;
      expect(await prefetchedBy(5)).toEqual(['a', 'b']);
    }
  });

  it('is given while the older job has no room, or is of another worker', async () => {
    const big = await lane(1, { demands: needsGpu });
    credits.fill(['a'], big.laneId, credits.nextMoment());
    expect(await prefetchedBy(5)).toEqual(['a']);
    credits.freeRoom();
    expect(await prefetchedBy(5)).toEqual([]);
    big.head = undefined;
    await lane(1, { demands: JSON.stringify([{}, { sticky: { worker: 'b', mode: 'HARD' } }]) });
    expect(await prefetchedBy(5)).toEqual(['a']);
    const limited = await lane(1, { queue: 'limited', limited: true, tight: true, full: true });
    expect(await prefetchedBy(5)).toEqual(['a']);
    limited.full = false;
    expect(await prefetchedBy(5)).toEqual([]);
  });

  it('is kept from new jobs, too, as they are stored', async () => {
    const plain = await lane(1, { queue: 'plain' });
    plain.head = undefined;
    const placesOf = (rank: number) =>
      immediatePlaces(lanes, credits, limits, [makeJob(plain.laneId, { rank })]).places;
    await lane(3, { demands: needsGpu });
    expect(placesOf(5).size).toBe(0);
    expect(placesOf(2).size).toBe(1);
  });
});
