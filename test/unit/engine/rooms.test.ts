/** Which lanes come alone, whom they prefer or keep to, and when a session is looked at again that had no room. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Demands } from '../../../server/domain/dispatch/demands.ts';
import { canonicalDemands, type SessionClass } from '../../../server/domain/dispatch/placement.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';
import { Definitions } from '../../../server/engine/definitions/definitions.ts';
import { immediatePlaces } from '../../../server/engine/dispatch/immediate-places.ts';
import type { KnownLane } from '../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../server/engine/dispatch/lanes.ts';
import { type ParkedClass, ParkedCredits } from '../../../server/engine/dispatch/parked-credits.ts';
import { Rooms } from '../../../server/engine/dispatch/rooms.ts';
import { makeJob } from '../../support/store-fixtures.ts';
import { LaneStore } from './lane-store.ts';
import { VirtualTime } from './virtual-time.ts';

const plain: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
  resources: { gpu: 4 },
};
const ssd: SessionClass = { ...plain, labels: { ssd: 'yes' } };

let time: VirtualTime;
let lanes: Lanes;
let credits: ParkedCredits;
let rooms: Rooms;
let announced: Hint[];
let wakes: number;

beforeEach(() => {
  time = new VirtualTime();
  const store = new LaneStore();
  lanes = new Lanes(store, new Definitions(store, time));
  credits = new ParkedCredits(time);
  announced = [];
  wakes = 0;
  const bus = { announce: (hint: Hint) => void announced.push(hint) };
  rooms = new Rooms({
    store: { renewWaits: async () => {} },
    lanes,
    credits,
    bus,
    timers: time,
    onRoom: () => wakes++,
  });
});

async function laneOf(demands: Partial<Demands>, rank = 1): Promise<KnownLane> {
  const key = { namespace: 'default', queue: 'default', definition: 'mail', definitionVersion: 1, suspect: false };
  const laneId = await lanes.idOf({ ...key, demands: canonicalDemands({ labels: {}, ...demands }) });
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank });
  return lanes.get(laneId) as KnownLane;
}

function park(sessionId: string, slots = 1, sessionClass = plain, worker = sessionId): ParkedClass {
  credits.park(sessionId, sessionClass, slots > 0 ? [{ creditId: 1, slots, prefetch: 0 }] : [], worker);
  return credits.classOf(sessionId) as ParkedClass;
}

const placesFor = ({ laneId }: KnownLane) =>
  immediatePlaces(lanes, credits, { takesSlotsOnly: () => false }, [makeJob(laneId)]).places;
const ready = (parked: ParkedClass) => lanes.readyFor(parked, 10).map(({ laneId }) => laneId);
const apart = (parked: ParkedClass) => lanes.apartFor(parked)?.laneId;

describe('a lane whose jobs take resources', () => {
  it('comes alone, the lowest head first, and not beside others', async () => {
    const [late, early, other] = [
      await laneOf({ resources: { gpu: 1 } }, 20),
      await laneOf({ resources: { gpu: 2 } }, 10),
      await laneOf({}, 5),
    ];
    const parked = park('a');
    expect(apart(parked)).toBe(early.laneId);
    expect(ready(parked)).toEqual([other.laneId]);
    rooms.seen(early, { full: ['a'], missed: [], dry: false }, credits.nextMoment());
    expect(apart(parked)).toBe(late.laneId);
  });

  it('is not for sessions that could never run its jobs', async () => {
    await laneOf({ resources: { gpu: 5 } });
    expect(apart(park('a'))).toBeUndefined();
  });

  it('gets no place as its jobs are stored, and does not keep others from theirs while it has no room', async () => {
    const [gpu, other] = [await laneOf({ resources: { gpu: 1 } }), await laneOf({})];
    const parked = park('a', 3);
    other.head = undefined;
    expect(placesFor(other).size).toBe(0);
    rooms.seen(gpu, { full: ['a'], missed: [], dry: false }, credits.nextMoment());
    expect(placesFor(gpu).size).toBe(0);
    expect(placesFor(other).size).toBe(1);
    expect(apart(parked)).toBeUndefined();
  });
});

describe('a session without room', () => {
  it('is looked at again when one of its jobs that took something is over, here or elsewhere', async () => {
    const [gpu, other] = [await laneOf({ resources: { gpu: 1 } }), await laneOf({})];
    const parked = park('a');
    const fill = () => rooms.seen(gpu, { full: ['a'], missed: [], dry: false }, credits.nextMoment());
    fill();
    rooms.freed([{ laneId: other.laneId, sessionId: 'a' }]);
    rooms.freed([{ laneId: gpu.laneId, sessionId: 'b' }]);
    expect(apart(parked)).toBeUndefined();
    rooms.freed([{ laneId: gpu.laneId, sessionId: 'a' }]);
    expect(apart(parked)).toBe(gpu.laneId);
    expect(announced).toEqual([
      { kind: 'freedRoom', sessionIds: ['b'] },
      { kind: 'freedRoom', sessionIds: ['a'] },
    ]);
    fill();
    rooms.heard(['a']);
    expect(apart(parked)).toBe(gpu.laneId);
  });

  it('is looked at again each second, and soon where somebody else was at it', async () => {
    const gpu = await laneOf({ resources: { gpu: 1 } });
    const parked = park('a');
    rooms.seen(gpu, { full: [], missed: ['a'], dry: false }, credits.nextMoment());
    expect(apart(parked)).toBeUndefined();
    await time.advance(200);
    expect(apart(parked)).toBe(gpu.laneId);
    expect(wakes).toBe(1);
    rooms.seen(gpu, { full: ['a'], missed: [], dry: false }, credits.nextMoment());
    rooms.sweep();
    expect(apart(parked)).toBe(gpu.laneId);
  });
});

describe('a lane that prefers some sessions', () => {
  it('is for these while one offers a slot, and for three rounds while one is there', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    const [worse, better] = [park('a', 2), park('b', 1, ssd)];
    expect([ready(worse), ready(better)]).toEqual([[], [lane.laneId]]);
    credits.take(better, 1);
    for (let round = 0; round < 3; round++) {
      expect(ready(worse)).toEqual([]);
      rooms.sweep();
    }
    expect(ready(worse)).toEqual([lane.laneId]);
    credits.park('b', ssd, [{ creditId: 2, slots: 1, prefetch: 0 }], 'b');
    expect(ready(worse)).toEqual([]);
  });

  it('is for any where none of these is there', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    expect(ready(park('a'))).toEqual([lane.laneId]);
  });

  it('is patient anew once it has been without jobs', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    const worse = park('a', 2);
    park('b', 0, ssd);
    for (let round = 0; round < 3; round++) rooms.sweep();
    expect(ready(worse)).toEqual([lane.laneId]);
    lane.head = undefined;
    lanes.lower({ laneId: lane.laneId, rank: 2 });
    expect(ready(worse)).toEqual([]);
  });
});

describe('a lane whose jobs keep to a worker', () => {
  const workerOf = (parked: ParkedClass, lane: KnownLane) => lanes.placesOf(parked, lane)?.worker;

  it('hard: is for that one, whatever happens', async () => {
    const lane = await laneOf({ sticky: { worker: 'b', mode: 'HARD' } });
    const parked = park('a');
    for (let round = 0; round < 5; round++) rooms.sweep();
    expect(apart(parked)).toBeUndefined();
    park('b');
    expect(apart(parked)).toBe(lane.laneId);
    expect(workerOf(parked, lane)).toBe('b');
  });

  it('softly: is for that one while it offers a slot, and for three rounds while it is there', async () => {
    const lane = await laneOf({ sticky: { worker: 'b', mode: 'SOFT' } });
    const parked = park('a');
    expect(workerOf(parked, lane)).toBeUndefined();
    park('b', 0);
    expect(workerOf(parked, lane)).toBe('b');
    expect(apart(parked)).toBeUndefined();
    for (let round = 0; round < 3; round++) rooms.sweep();
    expect(workerOf(parked, lane)).toBeUndefined();
    expect(apart(parked)).toBe(lane.laneId);
    park('b', 1);
    expect(workerOf(parked, lane)).toBe('b');
  });
});
