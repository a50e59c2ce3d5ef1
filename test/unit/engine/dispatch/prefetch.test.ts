/** Prefetch is not given to sessions whose slot an older job is waiting for. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LaneKey, SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { nextMoment } from '../../../../server/engine/dispatch/exhausted.ts';
import { immediatePermits } from '../../../../server/engine/dispatch/immediate-permits.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { kindsFor } from '../../../../server/engine/dispatch/prefetch.ts';
import { type CreditClass, UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import { makeJob } from '../../../support/store/store-fixtures.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const offer: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
  resources: { gpu: 1_000 },
};
const needsGpu = JSON.stringify([{}, { resources: { gpu: 1_000 } }]);
const limits = { takesSlotsOnly: ({ limited, contended }: KnownLane) => limited && contended };

let lanes: Lanes;
let credits: UnspentCredits;

beforeEach(() => {
  const store = new LaneStore();
  const time = new VirtualTime();
  lanes = new Lanes(store, new Definitions(store, time, () => 0));
  credits = new UnspentCredits(time);
  for (const name of ['a', 'b']) credits.deposit(name, offer, [{ creditId: 1, slots: 0, prefetch: 1 }], name);
});

/** A lane with ready jobs from the given rank on. */
async function lane(rank: number, changes: Partial<LaneKey & KnownLane> = {}): Promise<KnownLane> {
  const { queue = 'default', demands = '', suspect = false, ...rest } = changes;
  const key = { namespace: 'default', queue, definition: 'mail', definitionVersion: 1, demands, suspect };
  const laneId = await lanes.idOf(key);
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank, limited: rest.limited });
  return Object.assign(lanes.get(laneId) as KnownLane, rest);
}

/** The sessions that get prefetch for plain jobs from the given rank on. */
async function prefetchedBy(rank: number): Promise<string[]> {
  const creditClass = credits.classOf('a') as CreditClass;
  const kinds = kindsFor(lanes, limits, creditClass, await lane(rank, { queue: 'plain' }), rank);
  const permits = credits.take(creditClass, 10, kinds);
  credits.giveBack(permits);
  return permits.map(({ sessionId }) => sessionId);
}

describe('prefetch', () => {
  it('is given to jobs with no older job waiting', async () => {
    expect(await prefetchedBy(5)).toEqual(['a', 'b']);
    await lane(6, { demands: needsGpu });
    expect(await prefetchedBy(5)).toEqual(['a', 'b']);
  });

  it('is not given to younger jobs while an older one waits for a slot with resources, is a suspect, or is near a limit', async () => {
    const unlike: Partial<LaneKey & KnownLane>[] = [
      { demands: needsGpu },
      { suspect: true },
      { queue: 'limited', limited: true, contended: true },
    ];
    for (const changes of unlike) {
      const older = await lane(1, changes);
      expect(await prefetchedBy(5)).toEqual([]);
      older.head = undefined;
      expect(await prefetchedBy(5)).toEqual(['a', 'b']);
    }
  });

  it('is given while the older job has no capacity or is bound to another worker', async () => {
    const big = await lane(1, { demands: needsGpu });
    credits.fill(['a'], big.laneId, nextMoment());
    expect(await prefetchedBy(5)).toEqual(['a']);
    credits.freeCapacity();
    expect(await prefetchedBy(5)).toEqual([]);
    big.head = undefined;
    await lane(1, { demands: JSON.stringify([{}, { sticky: { worker: 'b', mode: 'HARD' } }]) });
    expect(await prefetchedBy(5)).toEqual(['a']);
    const limited = await lane(1, { queue: 'limited', limited: true, contended: true });
    limited.exhausted.mark(limited.laneId, nextMoment());
    expect(await prefetchedBy(5)).toEqual(['a']);
    limited.exhausted.release();
    expect(await prefetchedBy(5)).toEqual([]);
  });

  it('is not given to new jobs when they are stored, either', async () => {
    const plain = await lane(1, { queue: 'plain' });
    plain.head = undefined;
    const permitsOf = (rank: number) =>
      immediatePermits(lanes, credits, limits, [makeJob(plain.laneId, { rank })]).permits;
    await lane(3, { demands: needsGpu });
    expect(permitsOf(5).size).toBe(0);
    expect(permitsOf(2).size).toBe(1);
  });
});
