/** When a replica reads the backlog of bounded queues, and how it decides, in virtual time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DbClock } from '../../../../server/engine/base/db-clock.ts';
import type { BoundedQueue, Waiting } from '../../../../server/engine/ports/queues.ts';
import { Backlogs, type Lines } from '../../../../server/engine/queues/backlogs.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

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
  backlogs = new Backlogs({
    store: { queues },
    clock: time,
    dbClock,
    timers: time,
    random: constantRandom(0.5),
    log: silent,
  });
  await backlogs.refresh();
});

function linesOf(jobs: number, priority: number): Lines {
  const queue = backlogs.find('default', 'q');
  const line = Array.from({ length: jobs }, (_, index) => ({ index, priority, isReady: true }));
  return new Map(queue ? [[queue, line]] : []);
}

/** Submits that many jobs to q at once, stored in no time. Returns whether they were accepted. */
async function submit(jobs = 1, priority = 0): Promise<boolean> {
  const lines = linesOf(jobs, priority);
  if (await backlogs.admit(lines)) return false;
  backlogs.settle(lines);
  return true;
}

describe('the bounds of queues', () => {
  it('are read each second, and a queue without bounds has none', async () => {
    expect(backlogs.find('default', 'other')).toBeUndefined();
    expect(backlogs.find('other', 'q')).toBeUndefined();
    backlogs.start();
    rows = [];
    await time.advance(1_000);
    expect([backlogs.hasBounds, polls]).toEqual([false, 2]);
    rows = [bounded(1, { name: 'other' })];
    await time.advance(500);
    expect(backlogs.find('default', 'other')?.bounds.maxBacklog).toBe(1);
    await backlogs.stop();
    await time.advance(10_000);
    expect([polls, time.pending]).toEqual([3, 0]);
  });

  it('apply at once after a change, even when an older read ends later', async () => {
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

  it('read the age only when it is bounded, and again when that changes', async () => {
    await submit();
    backlogs.learn(bounded(10, { maxBacklogAgeMs: 5_000 }));
    await submit();
    await submit();
    expect(reads).toEqual([false, true]);
  });
});

describe('the backlog of a queue', () => {
  it('is read once a second while jobs come, shared by concurrent calls, and not while none come', async () => {
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

  it('includes jobs accepted since, so that concurrent calls can not exceed the bound together', async () => {
    const results = await Promise.all(Array.from({ length: 30 }, () => submit()));
    expect(results.filter(Boolean)).toHaveLength(10);
    expect(await submit(1, 1)).toBe(true);
  });

  it('accepts all jobs of a call or none', async () => {
    waiting = { waiting: 4, oldestUs: undefined };
    expect(await submit(7)).toBe(false);
    expect(await submit(6)).toBe(true);
    expect(await submit(1)).toBe(false);
  });

  it('is read again before a refusal that depends on jobs accepted since, because these may have left', async () => {
    expect(await submit(10)).toBe(true);
    await time.advance(101);
    expect(await submit(10)).toBe(true);
    expect(reads).toHaveLength(2);
    waiting = { waiting: 10, oldestUs: undefined };
    await time.advance(101);
    expect(await submit()).toBe(false);
    await time.advance(500);
    expect(await submit()).toBe(false);
    // The second refusal depends only on the reading.
    expect(reads).toHaveLength(3);
  });

  it('includes jobs that are still being stored, which no reading has counted', async () => {
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

  it('has its age as of now, not as of its reading', async () => {
    backlogs.learn(bounded(0, { maxBacklogAgeMs: 5_000 }));
    waiting = { waiting: 1, oldestUs: dbClock.nowUs() - 4_500_000 };
    expect(await submit()).toBe(true);
    await time.advance(600);
    expect([await submit(), await submit(1, 1)]).toEqual([false, true]);
    expect(reads).toHaveLength(1);
  });

  it('counts as empty when it can not be read, since the database will refuse the job itself', async () => {
    failure = new Error('gone');
    expect(await submit(10)).toBe(true);
  });

  it('gives the rate at which jobs leave, and so the retry delay', async () => {
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
    // No job has left since: the four are those that were accepted.
    expect(queue?.jobsPerSecond).toBeLessThan(2);
    expect(queue?.jobsPerSecond).toBeGreaterThan(0);
  });
});
