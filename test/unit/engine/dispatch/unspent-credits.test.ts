/** Credits of sessions: spent once, slots first, each session in turn. Repeats and late returns change nothing. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionClass } from '../../../../server/domain/dispatch/placement.ts';
import { nextMoment } from '../../../../server/engine/dispatch/exhausted.ts';
import {
  BAR_MS,
  CREDIT_LIFE_MS,
  CREDIT_MARGIN_MS,
  type CreditClass,
  hasWorker,
  offersSlot,
  UnspentCredits,
} from '../../../../server/engine/dispatch/unspent-credits.ts';
import type { Permit } from '../../../../server/engine/ports/dispatch.ts';
import { VirtualTime } from '../base/virtual-time.ts';

const LIFE_MS = CREDIT_LIFE_MS - CREDIT_MARGIN_MS;
const mail: SessionClass = {
  namespace: 'default',
  handlers: [{ name: 'mail', minVersion: 0, maxVersion: 0 }],
  labels: {},
};
const image: SessionClass = { ...mail, handlers: [{ name: 'image', minVersion: 0, maxVersion: 0 }] };

let time: VirtualTime;
let credits: UnspentCredits;

beforeEach(() => {
  time = new VirtualTime();
  credits = new UnspentCredits(time);
});

function deposit(sessionId: string, creditId: number, slots: number, prefetch = 0, sessionClass = mail): void {
  credits.deposit(sessionId, sessionClass, [{ creditId, slots, prefetch }]);
}

it('totals include unspent credits while they live', () => {
  deposit('a', 1, 3, 2);
  deposit('b', 2, 5, 0, image);
  credits.take(classOf('a'), 4);
  expect(credits.totals()).toEqual({ slots: 5, prefetch: 1 });
  credits.void('b', [2]);
  expect(credits.totals()).toEqual({ slots: 0, prefetch: 1 });
});

it('totals exclude expired credits', async () => {
  deposit('a', 1, 3, 2);
  await time.advance(LIFE_MS);
  expect(credits.totals()).toEqual({ slots: 0, prefetch: 0 });
});

function classOf(sessionId: string): CreditClass {
  const creditClass = credits.classes().find(({ sessions }) => sessions.has(sessionId));
  if (!creditClass) throw new Error(`no class knows ${sessionId}`);
  return creditClass;
}

/** Permits of this session's class as short texts: session, credit, and p for prefetch. */
function take(sessionId: string, limit: number): string[] {
  return texts(credits.take(classOf(sessionId), limit));
}

it('a small batch is shared among sessions, however many credits the first one has', () => {
  for (let credit = 1; credit <= 100; credit++) deposit('a', credit, 1);
  deposit('b', 1, 5);
  expect(take('a', 4)).toEqual(['a1', 'b1', 'a2', 'b1']);
});

function texts(permits: readonly Permit[]): string[] {
  return permits.map(({ sessionId, creditId, prefetch }) => `${sessionId}${creditId}${prefetch ? 'p' : ''}`);
}

describe('taking permits', () => {
  it('hands out each permit once', () => {
    deposit('a', 1, 2);
    expect(take('a', 10)).toEqual(['a1', 'a1']);
    expect(take('a', 10)).toEqual([]);
  });

  it('takes slots before prefetch, and no more than requested', () => {
    deposit('a', 1, 1, 2);
    deposit('b', 1, 1, 2);
    expect(take('a', 3)).toEqual(['a1', 'b1', 'a1p']);
    expect(take('a', 10)).toEqual(['a1p', 'b1p', 'b1p']);
  });

  it('serves each session in turn instead of filling up the first', () => {
    deposit('a', 1, 3);
    deposit('b', 1, 1);
    deposit('c', 1, 3);
    expect(take('a', 5)).toEqual(['a1', 'b1', 'c1', 'a1', 'c1']);
  });

  it('moves the served class behind the others', () => {
    deposit('a', 1, 9);
    deposit('b', 1, 9, 0, image);
    expect(credits.classes().map(({ key }) => key)).toEqual([classOf('a').key, classOf('b').key]);
    take('a', 1);
    expect(credits.classes().map(({ key }) => key)).toEqual([classOf('b').key, classOf('a').key]);
  });

  it('never hands out more than was granted, whatever is given back, voided or repeated', () => {
    const action = fc.record({
      what: fc.constantFrom('park', 'take', 'takeOf', 'giveBack', 'void'),
      session: fc.constantFrom('a', 'b', 'c'),
      credit: fc.integer({ min: 1, max: 4 }),
      count: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        credits = new UnspentCredits(new VirtualTime());
        const granted = new Map<string, number>();
        const out: Permit[] = [];
        for (const { what, session, credit, count } of actions) {
          const key = `${session}${credit}`;
          const known = credits.classes().find(({ sessions }) => sessions.has(session));
          if (what === 'park') {
            if (!granted.has(key)) granted.set(key, 2 * count);
            deposit(session, credit, count, count);
          } else if (what === 'take' && known) out.push(...credits.take(known, count));
          else if (what === 'takeOf') out.push(...credits.takeOf(session, count));
          else if (what === 'giveBack') credits.giveBack(out.splice(0, count));
          else if (what === 'void') credits.void(session, [credit]);
        }
        const taken = Map.groupBy(texts(out), (text) => text.replace('p', ''));
        for (const [key, permits] of taken) expect(permits.length).toBeLessThanOrEqual(granted.get(key) ?? 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('taking permits of one session', () => {
  it('takes none of another session', () => {
    deposit('a', 1, 2);
    deposit('b', 1, 2);
    expect(texts(credits.takeOf('a', 10))).toEqual(['a1', 'a1']);
    expect(texts(credits.takeOf('stranger', 10))).toEqual([]);
  });

  it('leaves the other sessions of its class in their order', () => {
    deposit('a', 1, 2);
    deposit('b', 1, 2);
    credits.takeOf('a', 10);
    expect(take('b', 10)).toEqual(['b1', 'b1']);
  });
});

describe('a repeated grant', () => {
  it('adds nothing to an existing credit', () => {
    deposit('a', 1, 2);
    deposit('a', 1, 2);
    expect(take('a', 10)).toEqual(['a1', 'a1']);
  });

  it('does not revive a spent or voided credit', () => {
    deposit('a', 1, 1);
    deposit('a', 2, 1);
    take('a', 1);
    credits.void('a', [2]);
    deposit('a', 1, 1);
    deposit('a', 2, 1);
    expect(take('a', 10)).toEqual([]);
  });
});

describe('the life of a credit', () => {
  it('ends before its life at the worker, so that an assignment can still arrive', async () => {
    deposit('a', 1, 1);
    await time.advance(LIFE_MS - 1);
    expect(take('a', 0)).toEqual([]);
    expect(take('a', 1)).toEqual(['a1']);
    deposit('a', 2, 1);
    await time.advance(LIFE_MS);
    expect(take('a', 1)).toEqual([]);
    expect(LIFE_MS).toBe(13_000);
  });

  it('frees its memory at its end, even when nothing is ever assigned', async () => {
    for (let creditId = 1; creditId <= 200; creditId++) {
      deposit('a', creditId, 1);
      await time.advance(1_000);
    }
    expect(classOf('a').sessions.get('a')?.credits.size).toBeLessThan(50);
  });
});

describe('permits for which no job was found', () => {
  it('return to their credit', () => {
    deposit('a', 1, 1, 1);
    const permits = credits.take(classOf('a'), 2);
    credits.giveBack(permits);
    expect(take('a', 10)).toEqual(['a1', 'a1p']);
  });

  it('are dropped when the credit or the session is gone', async () => {
    deposit('a', 1, 1);
    deposit('b', 1, 1);
    const permits = credits.take(classOf('a'), 2);
    credits.forget('b');
    await time.advance(LIFE_MS);
    take('a', 0);
    credits.giveBack(permits);
    expect(take('a', 10)).toEqual([]);
    expect(credits.classes().some(({ sessions }) => sessions.has('b'))).toBe(false);
  });

  it('do not return to a credit that was voided meanwhile', () => {
    deposit('a', 1, 2);
    const permits = credits.take(classOf('a'), 2);
    credits.void('a', [1]);
    credits.giveBack(permits);
    expect(take('a', 10)).toEqual([]);
  });
});

describe('a bar', () => {
  it('keeps a lane from all sessions of the class for its duration, and from no other class', async () => {
    deposit('a', 1, 1);
    deposit('b', 1, 1);
    deposit('c', 1, 1, 0, image);
    for (const session of ['a', 'c']) classOf(session).fit.set(7, true);
    credits.bar('a', 7);
    expect(classOf('b').fit.get(7)).toBe(false);
    expect(classOf('c').fit.get(7)).toBe(true);
    await time.advance(BAR_MS - 1);
    expect(classOf('b').fit.get(7)).toBe(false);
    await time.advance(1);
    expect(classOf('b').fit.has(7)).toBe(false);
  });

  it('on an unknown session has no effect', () => {
    deposit('a', 1, 1);
    credits.bar('b', 7);
    expect(classOf('a').fit.has(7)).toBe(false);
  });
});

describe('one slot of a session', () => {
  it('is taken while it has one, and no prefetch', () => {
    deposit('a', 1, 1, 2);
    deposit('b', 1, 1);
    expect(texts(credits.takeSlotOf('a'))).toEqual(['a1']);
    expect(texts(credits.takeSlotOf('a'))).toEqual([]);
    expect(texts(credits.takeSlotOf('stranger'))).toEqual([]);
  });
});

describe('one slot of each session', () => {
  it('is taken from each session that has one, up to the limit, and no prefetch', () => {
    deposit('a', 1, 2, 2);
    deposit('b', 1, 0, 2);
    deposit('c', 1, 1);
    expect(texts(credits.takeOneSlotEach(classOf('a'), 10))).toEqual(['a1', 'c1']);
    expect(texts(credits.takeOneSlotEach(classOf('a'), 10))).toEqual(['a1']);
    expect(texts(credits.takeOneSlotEach(classOf('a'), 10))).toEqual([]);
  });
});

describe('permits for jobs that not every session of a class can run', () => {
  const lane = { laneId: 7, worker: undefined };

  it('exclude sessions without capacity until something is released there', () => {
    for (const session of ['a', 'b']) deposit(session, 1, 5);
    credits.fill(['a'], 7, nextMoment());
    expect(texts(credits.take(classOf('a'), 2, 'slots', lane))).toEqual(['b1', 'b1']);
    expect(texts(credits.take(classOf('a'), 1, 'slots', { ...lane, laneId: 8 }))).toEqual(['a1']);
    expect(credits.takeSlotOf('a', lane)).toEqual([]);
    credits.freeCapacity(['a']);
    expect(texts(credits.takeSlotOf('a', lane))).toEqual(['a1']);
  });

  it('include a session again when something was released during the claim', () => {
    deposit('a', 1, 5);
    const began = nextMoment();
    credits.freeCapacity();
    credits.fill(['a'], 7, began);
    expect(offersSlot(classOf('a'), lane)).toBe(true);
    credits.fill(['a'], 7, nextMoment());
    expect(offersSlot(classOf('a'), lane)).toBe(false);
    expect(offersSlot(classOf('a'))).toBe(true);
  });

  it('include only the worker that the jobs are bound to', () => {
    credits.deposit('a', mail, [{ creditId: 1, slots: 2, prefetch: 0 }], 'host-a');
    credits.deposit('b', mail, [{ creditId: 1, slots: 2, prefetch: 0 }], 'host-b');
    const forB = { laneId: 7, worker: 'host-b' };
    expect(texts(credits.take(classOf('a'), 4, 'slots', forB))).toEqual(['b1', 'b1']);
    expect(credits.takeOneSlotEach(classOf('a'), 4, forB)).toEqual([]);
    expect(offersSlot(classOf('a'), forB)).toBe(false);
    expect(hasWorker(classOf('a'), 'host-b')).toBe(true);
    expect(hasWorker(classOf('a'), 'host-c')).toBe(false);
  });
});
