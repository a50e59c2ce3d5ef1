/** Lanes of a replica: created and loaded once, announced by hints, served by the lowest head first. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LaneKey, SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import type { CreditClass } from '../../../../server/engine/dispatch/unspent-credits.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const key: LaneKey = {
  namespace: 'default',
  queue: 'default',
  definition: 'mail',
  definitionVersion: 1,
  demands: '',
  suspect: false,
};
const sessionClass: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
};

let store: LaneStore;
let lanes: Lanes;

beforeEach(() => {
  store = new LaneStore();
  lanes = new Lanes(store, new Definitions(store, new VirtualTime(), () => 0));
});

/** Creates lanes for the queues, and loads them. */
async function makeLanes(...queues: string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const queue of queues) ids.push(await lanes.idOf({ ...key, queue }));
  await lanes.load(ids);
  return ids;
}

function creditClassOf(fit = new Map<number, boolean>()): CreditClass {
  return { key: '', sessionClass, fit, bars: new Map(), sessions: new Map(), all: new Map() };
}

function ready(limit = 10): number[] {
  return lanes.readyFor(creditClassOf(), limit).map((lane) => lane.laneId);
}

describe('the id of a lane', () => {
  it('is requested once, even by concurrent callers', async () => {
    expect(await Promise.all([lanes.idOf(key), lanes.idOf({ ...key }), lanes.idOf(key)])).toEqual([1, 1, 1]);
    expect(await lanes.idOf(key)).toBe(1);
    expect(store.makes).toBe(1);
  });

  it('differs with each part of the key', async () => {
    const others: Partial<LaneKey>[] = [
      {},
      { namespace: 'other' },
      { queue: 'fast' },
      { definition: 'image' },
      { definitionVersion: 2 },
      { demands: '{"gpu":"1"}' },
      { suspect: true },
    ];
    const ids = await Promise.all(others.map((change) => lanes.idOf({ ...key, ...change })));
    expect(new Set(ids).size).toBe(others.length);
  });

  it('is requested again after a failure', async () => {
    store.failing = true;
    await expect(lanes.idOf(key)).rejects.toThrow('gone');
    store.failing = false;
    expect(await lanes.idOf(key)).toBe(1);
  });
});

describe('a hint', () => {
  it('loads an unknown lane, once for all concurrent hints', async () => {
    const id = await lanes.idOf(key);
    await Promise.all([lanes.hint([{ laneId: id, rank: 5 }]), lanes.hint([{ laneId: id, rank: 3 }])]);
    expect(store.reads).toBe(1);
    expect(lanes.get(id)).toMatchObject({ head: 3, cursor: 3, definition: 'mail' });
  });

  it('survives a failed load: the next hint tries again', async () => {
    const id = await lanes.idOf(key);
    store.failing = true;
    await expect(lanes.hint([{ laneId: id, rank: 5 }])).rejects.toThrow('gone');
    store.failing = false;
    await lanes.hint([{ laneId: id, rank: 5 }]);
    expect(lanes.get(id)?.head).toBe(5);
  });

  it('lowers head and cursor and never raises them', async () => {
    const [id = 0] = await makeLanes('default');
    expect(lanes.lower({ laneId: id, rank: 10 })).toBe(true);
    expect(lanes.lower({ laneId: id, rank: 20 })).toBe(true);
    expect(lanes.get(id)).toMatchObject({ head: 10, cursor: 10 });
    lanes.lower({ laneId: id, rank: -7 });
    expect(lanes.get(id)).toMatchObject({ head: -7, cursor: -7 });
  });

  it('sets the number of waiting jobs, or assumes that many wait', async () => {
    const [id = 0, other = 0] = await makeLanes('counted', 'guessed');
    lanes.lower({ laneId: id, rank: 1, jobs: 3 });
    lanes.lower({ laneId: id, rank: 2, jobs: 4 });
    lanes.lower({ laneId: other, rank: 1 });
    expect([lanes.get(id)?.waiting, lanes.get(other)?.waiting]).toEqual([7, 100]);
  });

  it('lowers the bound of every running claim of the lane', async () => {
    const [id = 0] = await makeLanes('default');
    const claims = [{ lowest: 50 }, { lowest: 5 }];
    for (const claim of claims) lanes.get(id)?.claims.add(claim);
    lanes.lower({ laneId: id, rank: 20 });
    lanes.lower({ laneId: id, rank: 30 });
    expect(claims).toEqual([{ lowest: 20 }, { lowest: 5 }]);
  });

  it('for a lane that does not exist has no effect', async () => {
    await lanes.hint([{ laneId: 99, rank: 1 }]);
    expect(lanes.get(99)).toBeUndefined();
    expect(lanes.lower({ laneId: 99, rank: 1 })).toBe(false);
  });
});

describe('lanes with ready jobs', () => {
  it('are served by their heads, the lowest first, and no more than requested', async () => {
    const [a = 0, b = 0, c = 0, empty = 0] = await makeLanes('a', 'b', 'c', 'empty');
    for (const [laneId, rank] of [[a, 30] as const, [b, 10] as const, [c, 20] as const]) lanes.lower({ laneId, rank });
    expect(ready()).toEqual([b, c, a]);
    expect(ready(2)).toEqual([b, c]);
    expect(lanes.get(empty)?.head).toBeUndefined();
  });

  it('include only those that the class can run', async () => {
    const ids = [
      await lanes.idOf({ ...key, definition: 'image' }),
      await lanes.idOf({ ...key, namespace: 'other' }),
      await lanes.idOf({ ...key, demands: '{"gpu":"1"}' }),
      await lanes.idOf(key),
    ];
    await lanes.hint(ids.map((laneId) => ({ laneId, rank: 1 })));
    expect(ready()).toEqual([ids[3]]);
  });

  it('are compared with a class once, and the class keeps the result', async () => {
    const [id = 0] = await makeLanes('default');
    lanes.lower({ laneId: id, rank: 1 });
    const fit = new Map<number, boolean>();
    lanes.readyFor(creditClassOf(fit), 10);
    expect([...fit]).toEqual([[id, true]]);
    expect(lanes.readyFor(creditClassOf(new Map([[id, false]])), 10)).toEqual([]);
  });
});
