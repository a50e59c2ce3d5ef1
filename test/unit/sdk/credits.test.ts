/** Credits: when they are granted, how long they live, when they are voided and replaced. */
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import { MAX_SPENT_CREDITS, OFFER_DELAY } from '../../../sdk/typescript/src/worker/core/base/limits.ts';
import { Credits } from '../../../sdk/typescript/src/worker/core/dispatch/credits.ts';
import { assign, CoreWorld } from './support/core-world.ts';

describe('the grant of credits', () => {
  test('begins with the heartbeat that echoes the first ping, and covers all slots', async () => {
    const world = new CoreWorld({ slots: 3 });
    await world.open();
    await world.connect(true);
    await world.answerBeats();
    await world.time.advance(5_000);
    expect(world.credits).toEqual([]);
    expect(world.lastBeat.request.pingEcho).toBe(0n);
    await world.ping();
    expect(world.lastBeat.request.pingEcho).toBe(1n);
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 1n, slots: 3, prefetch: 0 }]);
    expect(world.lastBeat.sentAt).toBe(world.time.now());
  });

  test('does not repeat what is granted and not spent', async () => {
    const world = new CoreWorld({ slots: 3 });
    await world.ready();
    await world.time.advance(5_000);
    expect(world.beats.length).toBeGreaterThan(3);
    expect(world.credits).toHaveLength(1);
  });

  test('comes with the report that frees slots, under a rising id', async () => {
    const world = new CoreWorld({ slots: 2 });
    const credit = await world.ready();
    const [a, b] = [assign(1, credit), assign(2, credit)];
    await world.deliver([a, b]);
    world.endAll([a, b]);
    expect(world.reports).toHaveLength(1);
    expect(world.lastReport.request.credits).toMatchObject([{ creditId: 2n, slots: 2, prefetch: 2 }]);
  });

  test('covers slots that come free during reports in the next report, without a heartbeat', async () => {
    const world = new CoreWorld({ slots: 3 });
    const credit = await world.ready();
    const jobs = [1, 2, 3].map((job) => assign(job, credit));
    await world.deliver(jobs);
    const before = world.beats.length;
    for (const job of jobs) await world.end(job);
    await world.time.advance(OFFER_DELAY);
    expect(world.beats).toHaveLength(before);
    await world.acknowledge();
    expect(world.lastReport.request).toMatchObject({ reports: [{}, {}], credits: [{ slots: 2 }] });
  });

  test('has as much prefetch as handlers ended in the last 200 ms', async () => {
    const world = new CoreWorld({ slots: 4 });
    const credit = await world.ready();
    const jobs = [1, 2, 3, 4].map((job) => assign(job, credit));
    await world.deliver(jobs);
    world.endAll(jobs.slice(0, 3));
    expect(world.lastCredit).toMatchObject({ slots: 3, prefetch: 3 });
    await world.acknowledge();
    await world.time.advance(250);
    world.endAll(jobs.slice(3));
    expect(world.lastCredit).toMatchObject({ slots: 1, prefetch: 0 });
  });

  test('covers slots freed without a report in an early heartbeat', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const job = assign(1, credit, { runTimeoutMs: 1_000 });
    await world.deliver([job]);
    await world.advanceBeating(7_000);
    await world.acknowledge();
    expect(world.outcomes).toEqual(['1.1 failure RunTimeout']);
    expect(world.credits).toHaveLength(1);
    const beats = world.beats.length;
    await world.end(job);
    await world.time.advance(100);
    expect(world.beats).toHaveLength(beats + 1);
    expect(world.lastBeat.request.credits).toMatchObject([{ slots: 1 }]);
  });

  test('is renewed when the number of slots changes', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    world.core.setSlots(5);
    await world.time.advance(100);
    expect(world.lastBeat.request.voidedCreditIds).toEqual([1n]);
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 2n, slots: 5 }]);
  });
});

describe('a credit', () => {
  test("lives 15 s on the worker's clock, counted from before it was sent", async () => {
    const world = new CoreWorld({ slots: 2, beatInterval: 60_000, lease: 120_000 });
    const credit = await world.ready();
    await world.time.advance(14_999);
    await world.deliver([assign(1, credit)]);
    await world.time.advance(1);
    await world.deliver([assign(2, credit)]);
    expect(world.started).toHaveLength(1);
    expect(world.outcomes).toEqual(['2.1 released DEAD_CREDIT']);
  });

  test('with less than 8 s left is voided and replaced at a heartbeat when unused', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    await world.advanceBeating(5_000);
    expect(world.voided).toEqual([]);
    await world.advanceBeating(5_000);
    expect(world.voided).toEqual([1]);
    expect(world.credits.map(({ creditId }) => creditId)).toEqual([1n, 2n]);
    expect(world.lastCredit.slots).toBe(2);
  });

  test('that is spent is neither voided nor replaced', async () => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    await world.deliver([assign(1, credit)]);
    await world.advanceBeating(12_000);
    expect(world.voided).toEqual([]);
    expect(world.credits).toHaveLength(1);
  });

  test('is voided when its connection breaks, and the next heartbeat grants anew', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    await world.connect(false);
    await world.time.advance(600);
    expect(world.voided).toEqual([1]);
    expect(world.lastCredit).toMatchObject({ creditId: 2n, slots: 2 });
  });

  test('is granted anew for all slots at the first ping over a new connection, with the fresh echo', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    await world.connect(false);
    await world.time.advance(600);
    await world.answerBeats();
    await world.connect(true);
    await world.answerBeats();
    await world.ping();
    expect(world.lastBeat.request).toMatchObject({ pingEcho: 2n, voidedCreditIds: [2n] });
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 3n, slots: 2 }]);
    await world.answerBeats();
    await world.ping();
    expect(world.lastCredit.creditId).toBe(3n);
  });
});

describe('after a failed call, a credit', () => {
  test('of a heartbeat is void, and the next heartbeat grants a fresh one', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.open();
    await world.connect(true);
    await world.ping();
    const beat = world.lastBeat;
    expect(beat.request.credits).toHaveLength(1);
    await beat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    expect(world.lastBeat.request.voidedCreditIds).toEqual([1n]);
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 2n, slots: 2 }]);
  });

  test('of a report is void, and the report is sent again with a fresh one', async () => {
    const world = new CoreWorld({ slots: 1 });
    const job = assign(1, await world.ready());
    await world.deliver([job]);
    await world.end(job);
    expect(world.lastReport.request.credits).toMatchObject([{ creditId: 2n, slots: 1 }]);
    await world.lastReport.fail(Code.UNAVAILABLE);
    await world.time.advance(100);
    expect(world.lastReport.request.voidedCreditIds).toEqual([2n]);
    expect(world.lastReport.request.credits).toMatchObject([{ creditId: 3n, slots: 1 }]);
  });

  test('that is void is listed until a call that lists it is answered', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    world.core.setSlots(3);
    await world.time.advance(100);
    await world.lastBeat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    expect(new Set(world.lastBeat.request.voidedCreditIds)).toEqual(new Set([1n, 2n]));
    await world.answerBeats();
    await world.time.advance(5_000);
    expect(world.lastBeat.request.voidedCreditIds).toEqual([]);
  });

  test('that a pending call lists as void is listed by the next one too, because the first may be lost', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    world.core.setSlots(3);
    await world.time.advance(100);
    expect(world.lastBeat.request.voidedCreditIds).toEqual([1n]);
    world.core.setSlots(4);
    await world.time.advance(100);
    expect(new Set(world.lastBeat.request.voidedCreditIds)).toEqual(new Set([1n, 2n]));
  });

  test('counts for earlier assignments, and only the rest of it is void', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.open();
    await world.connect(true);
    await world.ping();
    const beat = world.lastBeat;
    await world.deliver([assign(1, 1n)]);
    await beat.fail(Code.DEADLINE_EXCEEDED);
    await world.time.advance(1_000);
    expect(world.started).toHaveLength(1);
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 2n, slots: 1 }]);
  });
});

describe('the table of credits', () => {
  test('counts promised, spent, voided and ended credits', () => {
    const credits = new Credits();
    credits.grant(3, 2, 0);
    credits.grant(1, 1, 1_000);
    expect([credits.slots, credits.prefetch]).toEqual([4, 3]);
    const first = credits.live(1, 100);
    if (first === undefined) throw new Error('the first credit lives');
    credits.spend(first, 'a', false);
    credits.spend(first, 'b', true);
    expect([credits.slots, credits.prefetch]).toEqual([3, 2]);
    expect(credits.void(2)).toBe(true);
    expect(credits.void(2)).toBe(false);
    expect([credits.slots, credits.prefetch]).toEqual([2, 1]);
    credits.expire(15_000);
    expect([credits.slots, credits.prefetch]).toEqual([0, 0]);
    expect(credits.live(1, 15_000)).toBeUndefined();
  });

  test('has a bounded memory of spent credits', () => {
    const credits = new Credits();
    for (let i = 0; i <= MAX_SPENT_CREDITS; i++) {
      const { creditId } = credits.grant(1, 0, 0);
      const credit = credits.live(Number(creditId), 0);
      if (credit) credits.spend(credit, `job ${i}`, false);
    }
    expect(credits.live(1, 0)).toBeUndefined();
    expect(credits.live(2, 0)?.seen).toEqual(new Set(['job 1']));
  });
});
