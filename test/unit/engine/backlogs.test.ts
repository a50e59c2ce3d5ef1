/** When a replica reads what waits in queues with bounds, and what it decides by: under virtual time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DbClock } from '../../../server/engine/base/db-clock.ts';
import type { BoundedQueue, Waiting } from '../../../server/engine/ports/queues.ts';
import { Backlogs, type Lines } from '../../../server/engine/queues/backlogs.ts';
import { settle, VirtualTime } from './virtual-time.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const bounded = (maxBacklog: number, changes: Partial<BoundedQueue> = {}): BoundedQueue => ({
  namespace: 'default',
  name: 'q',
  maxBacklog,
  maxBacklogAgeMs: null,
  ...changes,
});

let time: VirtualTime;
let dbClock: DbClock;
let rows: BoundedQueue[];
let waiting: Waiting;
let polls: number;
let reads: boolean[];
let failure: Error | undefined;
let backlogs: Backlogs;

beforeEach(async () => {
  time = new VirtualTime();
  dbClock = new DbClock(time);
  [rows, polls, reads, failure] = [[bounded(10)], 0, [], undefined];
  waiting = { waiting: 0, oldestUs: undefined };
  const queues = {
    async readBounded() {
      polls++;
      const seen = [...rows];
      await settle();
      return seen;
    },
    async readBacklog(_queue: unknown, withAge: boolean) {
      reads.push(withAge);
      if (failure) throw failure;
      const seen = waiting;
      await settle();
      return seen;
    },
  };
  backlogs = new Backlogs({ store: { queues }, clock: time, dbClock, timers: time, log: silent });
  await backlogs.refresh();
});

function linesOf(jobs: number, priority: number): Lines {
  const queue = backlogs.find('default', 'q');
  const line = Array.from({ length: jobs }, (_, index) => ({ index, priority, isReady: true }));
  return new Map(queue ? [[queue, line]] : []);
}

/** Submits so many jobs to q at once, which are stored in no time; whether they were let in. */
async function submit(jobs = 1, priority = 0): Promise<boolean> {
  const lines = linesOf(jobs, priority);
  if (await backlogs.admit(lines)) return false;
  backlogs.settle(lines);
  return true;
}

describe('the bounds of queues', () => {
  it('are looked for each second, and there are none for a queue without', async () => {
    expect(backlogs.find('default', 'other')).toBeUndefined();
    expect(backlogs.find('other', 'q')).toBeUndefined();
    backlogs.start();
    rows = [];
    await time.advance(1_000);
    expect([backlogs.hasBounds, polls]).toEqual([false, 2]);
    rows = [bounded(1, { name: 'other' })];
    await time.advance(1_000);
    expect(backlogs.find('default', 'other')?.bounds.maxBacklog).toBe(1);
    await backlogs.stop();
    await time.advance(10_000);
    expect([polls, time.pending]).toEqual([3, 0]);
  });

  it('hold at once where they were changed, whatever a look finds that began before', async () => {
    const probe = backlogs.refresh();
    backlogs.learn(bounded(0));
    await probe;
    expect(backlogs.hasBounds).toBe(false);
    rows = [];
    const next = backlogs.refresh();
    backlogs.learn(bounded(3));
    await next;
    expect(backlogs.find('default', 'q')?.bounds.maxBacklog).toBe(3);
  });

  it('are asked for the age only where it is bounded, and read anew when that changes', async () => {
    await submit();
    backlogs.learn(bounded(10, { maxBacklogAgeMs: 5_000 }));
    await submit();
    await submit();
    expect(reads).toEqual([false, true]);
  });
});

describe('what waits', () => {
  it('is read once a second while jobs come, by all that come together, and not while none come', async () => {
    expect(reads).toHaveLength(0);
    await Promise.all(Array.from({ length: 5 }, () => submit()));
    expect(reads).toHaveLength(1);
    await time.advance(1_000);
    await submit();
    expect(reads).toHaveLength(1);
    await time.advance(1);
    await submit();
    expect(reads).toHaveLength(2);
    await time.advance(60_000);
    expect(reads).toHaveLength(2);
  });

  it('counts what was let in since: calls at the same time do not pass together', async () => {
    const results = await Promise.all(Array.from({ length: 30 }, () => submit()));
    expect(results.filter(Boolean)).toHaveLength(10);
    expect(await submit(1, 1)).toBe(true);
  });

  it('lets in all of a call or none of it', async () => {
    waiting = { waiting: 4, oldestUs: undefined };
    expect(await submit(7)).toBe(false);
    expect(await submit(6)).toBe(true);
    expect(await submit(1)).toBe(false);
  });

  it('is read anew before a refusal that only rests on what was let in: it may have left', async () => {
    expect(await submit(10)).toBe(true);
    await time.advance(101);
    expect(await submit(10)).toBe(true);
    expect(reads).toHaveLength(2);
    waiting = { waiting: 10, oldestUs: undefined };
    await time.advance(101);
    expect(await submit()).toBe(false);
    await time.advance(500);
    expect(await submit()).toBe(false);
    // The second refusal rests on the reading alone.
    expect(reads).toHaveLength(3);
  });

  it('counts what is still being stored, which no reading has seen', async () => {
    const lines = linesOf(10, 0);
    expect(await backlogs.admit(lines)).toBeUndefined();
    await time.advance(5_000);
    expect(await submit()).toBe(false);
    expect(reads).toHaveLength(2);
    waiting = { waiting: 10, oldestUs: undefined };
    backlogs.settle(lines);
    await time.advance(5_000);
    expect([await submit(), await submit(2, 1), await submit(1, 1)]).toEqual([false, true, false]);
  });

  it('is as old as it is now, not as it was when it was read', async () => {
    backlogs.learn(bounded(0, { maxBacklogAgeMs: 5_000 }));
    waiting = { waiting: 1, oldestUs: dbClock.nowUs() - 4_500_000 };
    expect(await submit()).toBe(true);
    await time.advance(600);
    expect([await submit(), await submit(1, 1)]).toEqual([false, true]);
    expect(reads).toHaveLength(1);
  });

  it('is nothing where it can not be read: the database will say so itself', async () => {
    failure = new Error('gone');
    expect(await submit(10)).toBe(true);
  });

  it('tells how many leave, and so when to come again', async () => {
    waiting = { waiting: 10, oldestUs: undefined };
    expect(await submit()).toBe(false);
    const queue = backlogs.find('default', 'q');
    expect(queue?.jobsPerSecond).toBeUndefined();
    waiting = { waiting: 6, oldestUs: undefined };
    await time.advance(2_000);
    expect(await submit(4)).toBe(true);
    expect(queue?.jobsPerSecond).toBe(2);
    waiting = { waiting: 10, oldestUs: undefined };
    await time.advance(2_000);
    await submit();
    // Nothing has left since: the four are those that were let in.
    expect(queue?.jobsPerSecond).toBeLessThan(2);
    expect(queue?.jobsPerSecond).toBeGreaterThan(0);
  });
});
