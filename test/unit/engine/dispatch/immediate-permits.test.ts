/** Jobs that get a permit when they are stored: those with no older job waiting. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import { immediatePermits } from '../../../../server/engine/dispatch/immediate-permits.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { Lanes } from '../../../../server/engine/dispatch/lanes.ts';
import { UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import type { NewJob } from '../../../../server/engine/ports/submissions.ts';
import { makeJob } from '../../../support/store/store-fixtures.ts';
import { VirtualTime } from '../base/virtual-time.ts';
import { LaneStore } from './lane-store.ts';

const offers = (...names: string[]): SessionClass => ({
  namespace: 'default',
  handlers: names.map((name) => ({ name, minVersion: 0, maxVersion: 0 })),
  labels: {},
});

let lanes: Lanes;
let credits: UnspentCredits;

async function lane(definition: string): Promise<number> {
  const key = { namespace: 'default', queue: 'default', definitionVersion: 1, demands: '', suspect: false };
  const id = await lanes.idOf({ ...key, definition });
  await lanes.load([id]);
  return id;
}

function deposit(sessionId: string, slots: number, sessionClass = offers('mail')): void {
  credits.deposit(sessionId, sessionClass, [{ creditId: 1, slots, prefetch: 0 }]);
}

beforeEach(() => {
  const store = new LaneStore();
  const time = new VirtualTime();
  lanes = new Lanes(store, new Definitions(store, time, () => 0));
  credits = new UnspentCredits(time);
});

const limits = { takesSlotsOnly: ({ limited }: KnownLane) => limited };
const permitsOf = (jobs: readonly NewJob[]) => immediatePermits(lanes, credits, limits, jobs).permits;

describe('immediate permits', () => {
  it('go one to each job, lowest ranks first, while there are any', async () => {
    const mail = await lane('mail');
    deposit('a', 2);
    const [last, first, second] = [30, 10, 20].map((rank) => makeJob(mail, { rank }));
    if (!last || !first || !second) throw new Error('three jobs were made');
    const permits = permitsOf([last, first, second]);
    expect([...permits.keys()]).toEqual([first.jobId, second.jobId]);
    expect([...permits.values()]).toEqual(Array(2).fill({ sessionId: 'a', creditId: 1, prefetch: false }));
    expect(permitsOf([last]).size).toBe(0);
  });

  it('are not given when jobs already wait', async () => {
    const [mail, image] = [await lane('mail'), await lane('image')];
    deposit('a', 5, offers('mail', 'image'));
    lanes.lower({ laneId: image, rank: 1 });
    expect(permitsOf([makeJob(mail)]).size).toBe(0);
  });

  it('are given when the waiting jobs are not for this class', async () => {
    const [mail, image] = [await lane('mail'), await lane('image')];
    deposit('a', 5);
    lanes.lower({ laneId: image, rank: 1 });
    expect(permitsOf([makeJob(mail)]).size).toBe(1);
  });

  it('come from every suitable class', async () => {
    const mail = await lane('mail');
    deposit('a', 1);
    deposit('b', 1, offers('mail', 'image'));
    deposit('c', 1, offers('image'));
    const jobs = [makeJob(mail), makeJob(mail), makeJob(mail)];
    const sessions = Array.from(permitsOf(jobs).values(), (permit) => permit.sessionId);
    expect(sessions.sort()).toEqual(['a', 'b']);
  });

  it('are not given to jobs that start later, or for lanes that are not loaded', async () => {
    const mail = await lane('mail');
    deposit('a', 5);
    const jobs = [makeJob(mail, { state: 'SCHEDULED', runTimeUs: 1 }), makeJob(mail + 1)];
    expect(permitsOf(jobs).size).toBe(0);
    expect(permitsOf([makeJob(mail)]).size).toBe(1);
  });

  it('are slots for one lane with limits that is not full, in addition to those for lanes without limits', async () => {
    const [mail, image, sound] = [await lane('mail'), await lane('image'), await lane('sound')];
    credits.deposit('a', offers('mail', 'image', 'sound'), [{ creditId: 1, slots: 2, prefetch: 4 }]);
    for (const laneId of [image, sound]) Object.assign(lanes.get(laneId) ?? {}, { limited: true });
    const [one, two, three, other] = [makeJob(image), makeJob(sound), makeJob(image), makeJob(mail)];
    if (!one || !two || !three || !other) throw new Error('four jobs were made');
    const { permits, limited } = immediatePermits(lanes, credits, limits, [one, two, three, other]);
    expect([...permits.keys()]).toEqual([one.jobId, three.jobId, other.jobId]);
    expect([...permits.values()].map((permit) => permit.prefetch)).toEqual([false, false, true]);
    expect(limited?.laneId).toBe(image);
    for (const laneId of [image, sound]) Object.assign(lanes.get(laneId) ?? {}, { full: true });
    expect(permitsOf([one, two]).size).toBe(0);
  });
});
