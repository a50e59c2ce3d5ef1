/** A replica's memory of limits, which saves futile queries, and the lane where jobs of a full key are stored. */
import { beforeEach, expect, it } from 'vitest';
import type { DbClock } from '../../../../server/engine/base/db-clock.ts';
import type { Hint } from '../../../../server/engine/base/messages.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { nextMoment } from '../../../../server/engine/dispatch/exhausted.ts';
import { isExhausted } from '../../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { Limits } from '../../../../server/engine/dispatch/limits.ts';
import type { Log } from '../../../../server/engine/ports/ports.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const key = { namespace: 'default', queue: 'q', definition: 'd', definitionVersion: 1, demands: '', suspect: false };
const limitId = 'aaaaaaaa-0000-8000-8000-000000000000';
const nothing = { exhausted: false, openTimeUs: undefined, deferred: [], dry: true };

let asked: string[][];
let deferred: string[];
let reported: Hint[];
let capacities: number;
let lanes: Lanes;
let limits: Limits;
let laneId: number;

beforeEach(async () => {
  [asked, deferred, reported, capacities] = [[], [], [], 0];
  const time = new VirtualTime();
  const laneStore = new LaneStore();
  lanes = new Lanes(laneStore, new Definitions(laneStore, time, () => 0));
  limits = new Limits({
    store: {
      requeueDeferred: async (ids) => {
        asked.push([...ids]);
        return { deferred, lanes: [], later: [] };
      },
      readWaitingKeys: async () => [limitId],
    },
    lanes,
    bus: { announce: (hint) => reported.push(hint) },
    dbClock: { nowUs: () => 0 } as DbClock,
    timers: time,
    log: {} as Log,
    announcer: { committed: () => {} },
    onCapacity: () => {
      capacities++;
    },
  });
  laneId = await lanes.idOf(key);
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank: 1, limited: true });
});

const lane = () => lanes.get(laneId) ?? expect.fail('the lane is not loaded');

it('a key without known deferred jobs causes no query, and its jobs go to their own lane', () => {
  limits.freed([{ laneId, limitId }]);
  expect(asked).toEqual([]);
  expect(limits.deferredLaneOf(laneId, limitId)).toBeUndefined();
  expect(reported).toEqual([
    { kind: 'freedKeys', limitIds: [limitId] },
    { kind: 'freed', laneIds: [laneId] },
  ]);
});

it('jobs of a key at its limit are stored behind the deferred ones, until none is deferred', async () => {
  const { atLimitLaneId } = await limits.limitsToClaim(lane());
  deferred = [limitId];
  limits.claimResult(lane(), { ...nothing, deferred }, nextMoment());
  await eventually('it was asked once', () => asked.length === 1);
  expect(limits.deferredLaneOf(laneId, limitId)).toBe(atLimitLaneId);
  deferred = [];
  limits.freed([{ laneId, limitId }]);
  await eventually('it was asked again', () => asked.length === 2);
  await eventually('nothing waits there', () => limits.deferredLaneOf(laneId, limitId) === undefined);
  limits.freed([{ laneId, limitId }]);
  expect(asked).toHaveLength(2);
});

it('a sweep finds deferred keys that this replica does not know', async () => {
  await limits.limitsToClaim(lane());
  deferred = [limitId];
  await limits.sweep();
  await eventually('it is known', () => limits.deferredLaneOf(laneId, limitId) !== undefined);
});

it('a full lane is not claimed until a permit of its limits is released, on this replica or another', () => {
  limits.claimResult(lane(), { ...nothing, exhausted: true, dry: false }, nextMoment());
  expect(isExhausted(lane())).toBe(true);
  limits.onRemoteRelease([laneId]);
  expect([isExhausted(lane()), capacities]).toEqual([false, 1]);
  // Released while the claim was running: the claim may not have seen it.
  const moment = nextMoment();
  limits.freed([{ laneId }]);
  limits.claimResult(lane(), { ...nothing, exhausted: true, dry: false }, moment);
  expect(isExhausted(lane())).toBe(false);
});

it('deferred jobs are never offered to a claim', async () => {
  const { atLimitLaneId } = await limits.limitsToClaim(lane());
  await lanes.hint([{ laneId: atLimitLaneId, rank: 1 }]);
  expect(lanes.get(atLimitLaneId)?.head).toBeUndefined();
});
