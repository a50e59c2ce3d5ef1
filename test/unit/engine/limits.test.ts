/** What a replica remembers of limits, so as not to ask in vain; and where jobs of a full key are stored. */
import { beforeEach, expect, it } from 'vitest';
import type { DbClock } from '../../../server/engine/base/db-clock.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';
import { Definitions } from '../../../server/engine/definitions/definitions.ts';
import { Lanes } from '../../../server/engine/dispatch/lanes.ts';
import { Limits } from '../../../server/engine/dispatch/limits.ts';
import type { Log } from '../../../server/engine/ports/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { LaneStore } from './lane-store.ts';
import { VirtualTime } from './virtual-time.ts';

const key = { namespace: 'default', queue: 'q', definition: 'd', definitionVersion: 1, demands: '', suspect: false };
const limitId = 'aaaaaaaa-0000-8000-8000-000000000000';
const nothing = { full: false, openTimeUs: undefined, parked: [], dry: true };

let asked: string[][];
let parked: string[];
let told: Hint[];
let rooms: number;
let lanes: Lanes;
let limits: Limits;
let laneId: number;

beforeEach(async () => {
  [asked, parked, told, rooms] = [[], [], [], 0];
  const time = new VirtualTime();
  const laneStore = new LaneStore();
  lanes = new Lanes(laneStore, new Definitions(laneStore, time));
  limits = new Limits({
    store: {
      unpark: async (ids) => {
        asked.push([...ids]);
        return { parked, lanes: [], later: [] };
      },
      readWaitingKeys: async () => [limitId],
    },
    lanes,
    bus: { announce: (hint) => told.push(hint) },
    dbClock: { nowUs: () => 0 } as DbClock,
    timers: time,
    log: {} as Log,
    announcer: { committed: () => {} },
    onRoom: () => {
      rooms++;
    },
  });
  laneId = await lanes.idOf(key);
  await lanes.load([laneId]);
  lanes.lower({ laneId, rank: 1, limited: true });
});

const lane = () => lanes.get(laneId) ?? expect.fail('the lane is not loaded');

it('a key that nothing is known of is not asked about, and its jobs go where they belong', () => {
  limits.freed([{ laneId, limitId }]);
  expect(asked).toEqual([]);
  expect(limits.asideOf(laneId, limitId)).toBeUndefined();
  expect(told).toEqual([
    { kind: 'freedKeys', limitIds: [limitId] },
    { kind: 'freed', laneIds: [laneId] },
  ]);
});

it('jobs of a key at its limit are stored behind those that wait there, until none does', async () => {
  const { atLimitLaneId } = await limits.claimLane(lane());
  parked = [limitId];
  limits.seen(lane(), { ...nothing, parked }, lane().frees);
  await eventually('it was asked once', () => asked.length === 1);
  expect(limits.asideOf(laneId, limitId)).toBe(atLimitLaneId);
  parked = [];
  limits.freed([{ laneId, limitId }]);
  await eventually('it was asked again', () => asked.length === 2);
  await eventually('nothing waits there', () => limits.asideOf(laneId, limitId) === undefined);
  limits.freed([{ laneId, limitId }]);
  expect(asked).toHaveLength(2);
});

it('a round finds keys that this replica knows nothing of', async () => {
  await limits.claimLane(lane());
  parked = [limitId];
  await limits.sweep();
  await eventually('it is known', () => limits.asideOf(laneId, limitId) !== undefined);
});

it('a lane that is full is left alone until something is given back under its limits, here or elsewhere', () => {
  limits.seen(lane(), { ...nothing, full: true, dry: false }, lane().frees);
  expect(lane().full).toBe(true);
  limits.heard([laneId]);
  expect([lane().full, rooms]).toEqual([false, 1]);
  // Given back while the claim was under way: it may not have seen that.
  const { frees } = lane();
  limits.freed([{ laneId }]);
  limits.seen(lane(), { ...nothing, full: true, dry: false }, frees);
  expect(lane().full).toBe(false);
});

it('what waits aside is never offered to a claim', async () => {
  const { atLimitLaneId } = await limits.claimLane(lane());
  await lanes.hint([{ laneId: atLimitLaneId, rank: 1 }]);
  expect(lanes.get(atLimitLaneId)?.head).toBeUndefined();
});
