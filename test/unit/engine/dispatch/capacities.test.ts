/** Single-lane claims, preferred and bound workers, and when a session without capacity is tried again. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Demands } from '../../../../server/domain/dispatch/demands.ts';
import { canonicalDemands, type SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import type { Hint } from '../../../../server/engine/base/messages.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { Capacities } from '../../../../server/engine/dispatch/capacities.ts';
import { nextMoment } from '../../../../server/engine/dispatch/exhausted.ts';
import { immediatePermits } from '../../../../server/engine/dispatch/immediate-permits.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { type CreditClass, UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import { makeJob } from '../../../support/store/store-fixtures.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const plain: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
  resources: { gpu: 4 },
};
const ssd: SessionClass = { ...plain, labels: { ssd: 'yes' } };

let time: VirtualTime;
let lanes: Lanes;
let credits: UnspentCredits;
let capacities: Capacities;
let announced: Hint[];
let wakes: number;

beforeEach(() => {
  time = new VirtualTime();
  const store = new LaneStore();
  lanes = new Lanes(store, new Definitions(store, time, () => 0));
  credits = new UnspentCredits(time);
  announced = [];
  wakes = 0;
  const bus = { announce: (hint: Hint) => void announced.push(hint) };
  capacities = new Capacities({
    store: { renewReservations: async () => {} },
    lanes,
    credits,
    bus,
    timers: time,
    onCapacity: () => wakes++,
  });
});

async function laneOf(demands: Partial<Demands>, rank = 1): Promise<KnownLane> {
  const key = { namespace: 'default', queue: 'default', definition: 'mail', definitionVersion: 1, suspect: false };
  const laneId = await lanes.idOf({ ...key, demands: canonicalDemands({ labels: {}, ...demands }) });
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank });
  return lanes.get(laneId) as KnownLane;
}

function deposit(sessionId: string, slots = 1, sessionClass = plain, worker = sessionId): CreditClass {
  credits.deposit(sessionId, sessionClass, slots > 0 ? [{ creditId: 1, slots, prefetch: 0 }] : [], worker);
  return credits.classOf(sessionId) as CreditClass;
}

const permitsFor = ({ laneId }: KnownLane) =>
  immediatePermits(lanes, credits, { takesSlotsOnly: () => false }, [makeJob(laneId)]).permits;
const ready = (creditClass: CreditClass) => lanes.readyFor(creditClass, 10).map(({ laneId }) => laneId);
const singleLane = (creditClass: CreditClass) => lanes.singleLaneFor(creditClass)?.laneId;

describe('a lane whose jobs demand resources', () => {
  it('is claimed alone, the lowest head first, and not together with others', async () => {
    const [late, early, other] = [
      await laneOf({ resources: { gpu: 1 } }, 20),
      await laneOf({ resources: { gpu: 2 } }, 10),
      await laneOf({}, 5),
    ];
    const creditClass = deposit('a');
    expect(singleLane(creditClass)).toBe(early.laneId);
    expect(ready(creditClass)).toEqual([other.laneId]);
    capacities.claimResult(early, { exhausted: ['a'], missed: [], dry: false }, nextMoment());
    expect(singleLane(creditClass)).toBe(late.laneId);
  });

  it('is not claimed for sessions that could never run its jobs', async () => {
    await laneOf({ resources: { gpu: 5 } });
    expect(singleLane(deposit('a'))).toBeUndefined();
  });

  it('gives no immediate permits, and does not block those of other lanes while it has no capacity', async () => {
    const [gpu, other] = [await laneOf({ resources: { gpu: 1 } }), await laneOf({})];
    const creditClass = deposit('a', 3);
    other.head = undefined;
    expect(permitsFor(other).size).toBe(0);
    capacities.claimResult(gpu, { exhausted: ['a'], missed: [], dry: false }, nextMoment());
    expect(permitsFor(gpu).size).toBe(0);
    expect(permitsFor(other).size).toBe(1);
    expect(singleLane(creditClass)).toBeUndefined();
  });
});

describe('a session without capacity', () => {
  it('is tried again when one of its jobs with resources ends, on this replica or another', async () => {
    const [gpu, other] = [await laneOf({ resources: { gpu: 1 } }), await laneOf({})];
    const creditClass = deposit('a');
    const fill = () => capacities.claimResult(gpu, { exhausted: ['a'], missed: [], dry: false }, nextMoment());
    fill();
    capacities.freed([{ laneId: other.laneId, sessionId: 'a' }]);
    capacities.freed([{ laneId: gpu.laneId, sessionId: 'b' }]);
    expect(singleLane(creditClass)).toBeUndefined();
    capacities.freed([{ laneId: gpu.laneId, sessionId: 'a' }]);
    expect(singleLane(creditClass)).toBe(gpu.laneId);
    expect(announced).toEqual([
      { kind: 'freedCapacity', sessionIds: ['b'] },
      { kind: 'freedCapacity', sessionIds: ['a'] },
    ]);
    fill();
    capacities.onRemoteRelease(['a']);
    expect(singleLane(creditClass)).toBe(gpu.laneId);
  });

  it('is tried again each second, and sooner when a concurrent claim was the cause', async () => {
    const gpu = await laneOf({ resources: { gpu: 1 } });
    const creditClass = deposit('a');
    capacities.claimResult(gpu, { exhausted: [], missed: ['a'], dry: false }, nextMoment());
    expect(singleLane(creditClass)).toBeUndefined();
    await time.advance(200);
    expect(singleLane(creditClass)).toBe(gpu.laneId);
    expect(wakes).toBe(1);
    capacities.claimResult(gpu, { exhausted: ['a'], missed: [], dry: false }, nextMoment());
    capacities.sweep();
    expect(singleLane(creditClass)).toBe(gpu.laneId);
  });
});

describe('a lane with preferred sessions', () => {
  it('is claimed for these while one offers a slot, and for three rounds while one is connected', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    const [worse, better] = [deposit('a', 2), deposit('b', 1, ssd)];
    expect([ready(worse), ready(better)]).toEqual([[], [lane.laneId]]);
    credits.take(better, 1);
    for (let round = 0; round < 3; round++) {
      expect(ready(worse)).toEqual([]);
      capacities.sweep();
    }
    expect(ready(worse)).toEqual([lane.laneId]);
    credits.deposit('b', ssd, [{ creditId: 2, slots: 1, prefetch: 0 }], 'b');
    expect(ready(worse)).toEqual([]);
  });

  it('is claimed for any session when no preferred one is connected', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    expect(ready(deposit('a'))).toEqual([lane.laneId]);
  });

  it('waits for its preferred sessions anew after it was empty', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    const worse = deposit('a', 2);
    deposit('b', 0, ssd);
    for (let round = 0; round < 3; round++) capacities.sweep();
    expect(ready(worse)).toEqual([lane.laneId]);
    lane.head = undefined;
    lanes.lower({ laneId: lane.laneId, rank: 2 });
    expect(ready(worse)).toEqual([]);
  });
});

describe('a lane whose jobs are bound to a worker', () => {
  const workerOf = (creditClass: CreditClass, lane: KnownLane) => lanes.permitsOf(creditClass, lane)?.worker;

  it('with HARD is claimed only for that worker, however long that takes', async () => {
    const lane = await laneOf({ sticky: { worker: 'b', mode: 'HARD' } });
    const creditClass = deposit('a');
    for (let round = 0; round < 5; round++) capacities.sweep();
    expect(singleLane(creditClass)).toBeUndefined();
    deposit('b');
    expect(singleLane(creditClass)).toBe(lane.laneId);
    expect(workerOf(creditClass, lane)).toBe('b');
  });

  it('with SOFT is claimed for that worker while it offers a slot, and for three rounds while it is connected', async () => {
    const lane = await laneOf({ sticky: { worker: 'b', mode: 'SOFT' } });
    const creditClass = deposit('a');
    expect(workerOf(creditClass, lane)).toBeUndefined();
    deposit('b', 0);
    expect(workerOf(creditClass, lane)).toBe('b');
    expect(singleLane(creditClass)).toBeUndefined();
    for (let round = 0; round < 3; round++) capacities.sweep();
    expect(workerOf(creditClass, lane)).toBeUndefined();
    expect(singleLane(creditClass)).toBe(lane.laneId);
    deposit('b', 1);
    expect(workerOf(creditClass, lane)).toBe('b');
  });
});
