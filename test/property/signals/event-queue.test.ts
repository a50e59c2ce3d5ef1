/**
 * Properties of an event while jobs come and go during its paged delivery: it reaches the jobs that waited when it
 * came, or the first job that waits after it, or it lapses.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fateOf,
  fateOfUndelivered,
  type KeyFacts,
  type SignalFate,
  takeKept,
} from '../../../server/domain/signals/signal-queue.ts';

type Act =
  | { readonly kind: 'wait'; readonly jobs: number }
  | { readonly kind: 'send'; readonly keep: boolean }
  | { readonly kind: 'page'; readonly of: number; readonly size: number }
  | { readonly kind: 'cancel'; readonly of: number }
  | { readonly kind: 'lapse' };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), jobs: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('send' as const), keep: fc.boolean() }),
  fc.record({ kind: fc.constant('page' as const), of: fc.nat(5), size: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('cancel' as const), of: fc.nat(20) }),
  fc.constant({ kind: 'lapse' as const }),
);

interface Event {
  readonly id: number;
  keep: boolean;
  state: 'ON_ITS_WAY' | 'KEPT' | 'OVER';
  after: number;
  upTo: number;
  readonly reached: number[];
  /** Jobs that waited when it came, had no promise and are still there, computed without the numbers. */
  meantFor: Set<number>;
}

/** A small store: the rows of one key, decided by the domain. */
class Queue {
  readonly events: Event[] = [];
  /** Numbers of waiting jobs. */
  readonly waits = new Set<number>();
  /** The event that ended each wait. */
  readonly got = new Map<number, number | 'CANCEL'>();
  #next = 1;

  facts(): KeyFacts {
    const promisedUpTo = Math.max(0, ...this.#onTheirWay().map(({ upTo }) => upTo));
    const last = Math.max(0, ...this.waits);
    const kept = this.events.filter(({ state }) => state === 'KEPT').length;
    return { promisedUpTo, lastWait: last > promisedUpTo ? last : undefined, kept };
  }

  #onTheirWay(): Event[] {
    return this.events.filter(({ state }) => state === 'ON_ITS_WAY');
  }

  play(one: Act): void {
    if (one.kind === 'wait') this.#wait(one.jobs);
    if (one.kind === 'send') this.#send(one.keep);
    if (one.kind === 'cancel') this.#leave([...this.waits][one.of], 'CANCEL');
    if (one.kind === 'lapse') for (const event of this.events) this.#lapse(event);
    if (one.kind === 'page') this.page(this.#onTheirWay()[one.of], one.size);
  }

  #lapse(event: Event): void {
    event.keep = false;
    if (event.state === 'KEPT') event.state = 'OVER';
  }

  #wait(jobs: number): void {
    const waits = Array.from({ length: jobs }, () => ({ signalKeyId: 'k', number: this.#next++ }));
    const kept = this.events.filter(({ state }) => state === 'KEPT').map((event) => ({ signalKeyId: 'k', event }));
    const { taken, waiting } = takeKept(waits, kept);
    for (const { wait, signal: row } of taken) {
      row.event.state = 'OVER';
      row.event.reached.push(wait.number);
      this.got.set(wait.number, row.event.id);
    }
    expect(taken.map(({ signal: event }) => event.event.id)).toEqual(kept.slice(0, jobs).map(({ event }) => event.id));
    for (const { number } of waiting) this.waits.add(number);
  }

  #unpromised(): Set<number> {
    const promised = new Set(this.#onTheirWay().flatMap(({ meantFor }) => [...meantFor]));
    return new Set([...this.waits].filter((wait) => !promised.has(wait)));
  }

  #send(keep: boolean): void {
    const event: Event = {
      id: this.events.length,
      keep,
      state: 'OVER',
      after: 0,
      upTo: 0,
      reached: [],
      meantFor: new Set(),
    };
    this.#direct(event, fateOf(this.facts(), keep ? 1_000 : 0));
    this.events.push(event);
  }

  #direct(event: Event, fate: SignalFate): void {
    const free = this.#unpromised();
    expect(fate.kind === 'DELIVER').toBe(free.size > 0);
    if (fate.kind === 'DELIVER') Object.assign(event, { state: 'ON_ITS_WAY', ...fate, meantFor: free });
    else if (fate.kind === 'KEEP') event.state = 'KEPT';
    else event.state = 'OVER';
  }

  #leave(wait: number | undefined, by: number | 'CANCEL'): void {
    if (wait === undefined) return;
    this.waits.delete(wait);
    this.got.set(wait, by);
    for (const { meantFor } of this.#onTheirWay()) meantFor.delete(wait);
  }

  page(event: Event | undefined, size: number): void {
    if (!event) return;
    const inRange = [...this.waits].filter((wait) => wait > event.after && wait <= event.upTo).slice(0, size);
    expect(inRange.every((wait) => event.meantFor.has(wait))).toBe(true);
    for (const wait of inRange) {
      event.reached.push(wait);
      this.#leave(wait, event.id);
    }
    const last = inRange.at(-1);
    if (last !== undefined && last < event.upTo) event.after = last;
    else this.#settle(event);
  }

  #settle(event: Event): void {
    expect(event.meantFor.size).toBe(0);
    if (event.reached.length > 0) event.state = 'OVER';
    else {
      event.state = 'OVER';
      const facts = this.facts();
      this.#direct(event, fateOfUndelivered(facts, event.keep ? 1 : 0));
    }
  }
}

function play(acts: readonly Act[]): Queue {
  const queue = new Queue();
  for (const one of acts) queue.play(one);
  for (let left = queue.events.find(({ state }) => state === 'ON_ITS_WAY'); left; ) {
    queue.page(left, 3);
    left = queue.events.find(({ state }) => state === 'ON_ITS_WAY');
  }
  return queue;
}

describe('an event', () => {
  it('reaches all jobs that waited without a promise, and each job gets one event, whatever jobs come and go meanwhile', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const queue = play(acts);
        const reached = queue.events.flatMap(({ id, reached: waits }) => waits.map((wait) => [wait, id] as const));
        expect(new Set(reached.map(([wait]) => wait)).size).toBe(reached.length);
        for (const [wait, id] of reached) expect(queue.got.get(wait)).toBe(id);
      }),
    );
  });

  it('is kept only while no job waits, and lapses only when allowed', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const queue = play(acts);
        const kept = queue.events.filter(({ state }) => state === 'KEPT');
        if (kept.length > 0) expect(queue.waits.size).toBe(0);
        for (const event of queue.events)
          if (event.state === 'OVER' && event.keep) expect(event.reached.length).toBeGreaterThan(0);
      }),
    );
  });

  it('is refused when too many are kept, but not after it was accepted', () => {
    const facts = { promisedUpTo: 0, lastWait: undefined, kept: 1_000 };
    expect(fateOf(facts, 1)).toEqual({ kind: 'FULL' });
    expect(fateOf({ ...facts, kept: 999 }, 1)).toEqual({ kind: 'KEEP' });
    expect(fateOf({ ...facts, lastWait: 3 }, 1)).toEqual({ kind: 'DELIVER', after: 0, upTo: 3 });
    expect(fateOf(facts, 0)).toEqual({ kind: 'DROP' });
    expect(fateOfUndelivered(facts, 1)).toEqual({ kind: 'KEEP' });
  });

  it('goes to jobs that wait for its own key', () => {
    const waits = ['a', 'b', 'a'].map((signalKeyId, i) => ({ signalKeyId, i }));
    const kept = ['b', 'a', 'b'].map((signalKeyId, i) => ({ signalKeyId, i }));
    const { taken, waiting } = takeKept(waits, kept);
    expect(taken.map(({ wait, signal: event }) => [wait.i, event.i])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(waiting.map(({ i }) => i)).toEqual([2]);
  });
});
