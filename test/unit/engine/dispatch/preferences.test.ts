/** Which sessions ready jobs prefer, and which are barred for a while, as far as a replica knows. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Demands } from '../../../../server/domain/dispatch/demands.ts';
import { canonicalDemands, type SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import type { OpenSession } from '../../../../server/domain/explain/worker-constraints.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { Preferences } from '../../../../server/engine/dispatch/preferences.ts';
import { UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const NOW_US = 5_000_000_000;
const plain: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
};
const ssd: SessionClass = { ...plain, labels: { ssd: 'yes' } };

let time: VirtualTime;
let lanes: Lanes;
let credits: UnspentCredits;
let preferences: Preferences;

beforeEach(() => {
  time = new VirtualTime();
  const store = new LaneStore();
  lanes = new Lanes(store, new Definitions(store, time, () => 0));
  credits = new UnspentCredits(time);
  preferences = new Preferences({ lanes, credits, clock: time });
});

/** A lane with a ready job. */
async function laneOf(demands: Partial<Demands>): Promise<KnownLane> {
  const canonical = canonicalDemands({ labels: {}, ...demands });
  const key = { namespace: 'default', queue: 'q', definition: 'mail', definitionVersion: 1, suspect: false };
  const laneId = await lanes.idOf({ ...key, demands: canonical });
  await lanes.hint([{ laneId, rank: 1 }]);
  return lanes.get(laneId) as KnownLane;
}

const deposit = (sessionId: string, slots: number, sessionClass = plain) =>
  credits.deposit(sessionId, sessionClass, [{ creditId: 1, slots, prefetch: 0 }], `worker-${sessionId}`);
const soft = { sticky: { worker: 'worker-a', mode: 'SOFT' } } as const;

describe('a job’s preference', () => {
  it('is its SOFT worker, for three rounds, if that one is connected', async () => {
    const lane = await laneOf(soft);
    expect(preferences.of(lane, NOW_US)).toBeUndefined();
    deposit('a', 0);
    deposit('b', 5);
    expect(preferences.of(lane, NOW_US)).toEqual({
      worker: 'worker-a',
      sessionIds: new Set(['a']),
      untilUs: NOW_US + 3_300_000,
    });
    for (const left of [2_200_000, 1_100_000]) {
      lanes.countRound();
      expect(preferences.of(lane, NOW_US)?.untilUs).toBe(NOW_US + left);
    }
    lanes.countRound();
    expect(preferences.of(lane, NOW_US)).toBeUndefined();
  });

  it('lasts as long as a free slot of that worker is known', async () => {
    const lane = await laneOf(soft);
    deposit('a', 1);
    for (let round = 0; round < 5; round++) lanes.countRound();
    expect(preferences.of(lane, NOW_US)?.untilUs).toBe(NOW_US + 13_000_000);
    await time.advance(13_001);
    expect(preferences.of(lane, NOW_US)).toBeUndefined();
  });

  it('covers every session whose labels match the expression', async () => {
    const lane = await laneOf({ preferred: 'has(labels.ssd)' });
    deposit('plain', 5);
    expect(preferences.of(lane, NOW_US)).toBeUndefined();
    deposit('a', 0, ssd);
    deposit('b', 0, ssd);
    const found = preferences.of(lane, NOW_US);
    expect(found).toMatchObject({ preferred: 'has(labels.ssd)', sessionIds: new Set(['a', 'b']) });
    expect(found).not.toHaveProperty('worker');
  });

  it('does not exist when the job is bound with HARD, has no preference, or is not known to be ready', async () => {
    deposit('a', 0);
    expect(preferences.of(await laneOf({ sticky: { worker: 'worker-a', mode: 'HARD' } }), NOW_US)).toBeUndefined();
    expect(preferences.of(await laneOf({}), NOW_US)).toBeUndefined();
    const lane = await laneOf(soft);
    lane.head = undefined;
    expect(preferences.of(lane, NOW_US)).toBeUndefined();
  });
});

describe('the bar of a session class that can not run a lane’s jobs', () => {
  it('lasts half a minute, and does not affect other lanes', async () => {
    const [lane, other] = [await laneOf({}), await laneOf({ labels: { ssd: 'yes' } })];
    deposit('a', 1);
    const open = (sessionClass: SessionClass) => ({ ...sessionClass, unavailable: undefined }) as OpenSession;
    const unavailable = (of: KnownLane, session = open(plain)) =>
      preferences.withBars([session], of, NOW_US).map((one) => [one.unavailable, one.barredUntilUs]);
    expect(unavailable(lane)).toEqual([[undefined, undefined]]);
    credits.bar('a', lane.laneId);
    expect(unavailable(lane)).toEqual([['barred', NOW_US + 30_000_000]]);
    expect(unavailable(lane, { ...open(plain), unavailable: 'draining' })).toEqual([['draining', undefined]]);
    expect(unavailable(lane, open(ssd))).toEqual([[undefined, undefined]]);
    expect(unavailable(other)).toEqual([[undefined, undefined]]);
    await time.advance(30_001);
    expect(unavailable(lane)).toEqual([[undefined, undefined]]);
  });
});
