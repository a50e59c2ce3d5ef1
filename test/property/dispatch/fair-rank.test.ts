/** Fair ranks: keys with waiting jobs are served by weight, for any arrivals, and no job waits beyond its turn. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fairStep, virtualTime } from '../../../server/domain/dispatch/fair-rank.ts';

interface Waiting {
  readonly key: string;
  readonly rank: number;
  readonly id: number;
}

/** One lane with its keys, as in the store: the lowest rank is served first, then the oldest. */
class Lane {
  readonly #weights: Readonly<Record<string, number>>;
  readonly #last = new Map<string, Waiting>();
  waiting: Waiting[] = [];
  #ids = 0;
  #floorUs = 0;

  constructor(weights: Readonly<Record<string, number>>) {
    this.#weights = weights;
  }

  add(key: string, count: number, nowUs: number): void {
    for (let i = 0; i < count; i++) {
      const ranks = this.waiting.map(({ rank }) => rank);
      const headUs = ranks.length > 0 ? Math.min(...ranks) : undefined;
      const time = virtualTime({ headUs, floorUs: Math.min(this.#floorUs, nowUs), hasAhead: false }, nowUs);
      this.#floorUs = time;
      const last = this.#last.get(key);
      const from = last && this.waiting.includes(last) ? Math.max(time, last.rank) : time;
      const job = { key, rank: from + fairStep(this.#weights[key] ?? 1), id: this.#ids++ };
      this.#last.set(key, job);
      this.waiting.push(job);
    }
  }

  serve(): Waiting | undefined {
    const [next] = [...this.waiting].sort((a, b) => a.rank - b.rank || a.id - b.id);
    this.waiting = this.waiting.filter((job) => job !== next);
    return next;
  }
}

const NOW = 1.8e15;

it('keys that always have waiting jobs are served by weight, within one job of each', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0.5, 1, 2, 4), { minLength: 2, maxLength: 5 }), (list) => {
      const weights = Object.fromEntries(list.map((weight, i) => [`k${i}`, weight]));
      const lane = new Lane(weights);
      for (const key of Object.keys(weights)) lane.add(key, 60, NOW);
      const served = Array.from({ length: 50 }, () => lane.serve()?.key ?? '');
      const total = list.reduce((sum, weight) => sum + weight, 0);
      for (const [key, weight] of Object.entries(weights)) {
        const share = served.filter((other) => other === key).length;
        expect(Math.abs(share - (50 * weight) / total)).toBeLessThanOrEqual(list.length + 1);
      }
    }),
    { numRuns: 60 },
  );
});

it('a new key is served at the next turn, however many others wait or were served before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(40), fc.nat(1e9), (keys, served, laterUs) => {
      const lane = new Lane({});
      for (let k = 0; k < keys; k++) lane.add(`k${k}`, 60, NOW);
      for (let i = 0; i < served; i++) lane.serve();
      lane.add('new', 1, NOW + laterUs);
      let turns = 0;
      while (lane.serve()?.key !== 'new') turns++;
      expect(turns).toBeLessThanOrEqual(2 * keys);
    }),
    { numRuns: 100 },
  );
});

it('endless new keys do not keep a waiting job from its turn', () => {
  const lane = new Lane({});
  lane.add('old', 3, NOW);
  let [served, turns] = [0, 0];
  for (; served < 3; turns++) {
    // Two new keys per served job.
    for (let i = 0; i < 2; i++) lane.add(`new-${turns}-${i}`, 1, NOW + turns);
    if (lane.serve()?.key === 'old') served++;
    expect(turns).toBeLessThan(50);
  }
});

it('no other key starts more than n jobs plus one, by weight, before the n-th waiting job of a key', () => {
  const others = ['k0', 'k1', 'k2'];
  const weight = fc.constantFrom(0.01, 0.5, 1, 2, 100);
  const come = fc.record({ key: fc.constantFrom(...others), count: fc.nat(6) });
  fc.assert(
    fc.property(
      fc.tuple(weight, weight, weight, weight),
      fc.array(come, { maxLength: 10 }),
      fc.array(come, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      ([own, ...weights], before, after, n) => {
        const weightOf: Record<string, number> = { own, ...Object.fromEntries(others.map((k, i) => [k, weights[i]])) };
        const lane = new Lane(weightOf);
        for (const { key, count } of before) {
          lane.add(key, count, NOW);
          lane.serve();
        }
        lane.add('own', n, NOW);
        const served = new Map<string, number>();
        for (let turn = 0; (served.get('own') ?? 0) < n; turn++) {
          const { key, count } = after[turn % after.length] ?? { key: 'k0', count: 1 };
          if (turn < 300) lane.add(key, count, NOW + turn * 1_000);
          const next = lane.serve()?.key ?? 'none';
          served.set(next, (served.get(next) ?? 0) + 1);
        }
        for (const key of others) {
          const share = fairStep(own) / fairStep(weightOf[key] ?? 1);
          expect(served.get(key) ?? 0).toBeLessThanOrEqual(n * share + 1);
        }
      },
    ),
    { numRuns: 100 },
  );
});

it('the step of a key shrinks with its weight, and is never zero', () => {
  expect([0.01, 0.5, 1, 2, 100].map(fairStep)).toEqual([10_000, 200, 100, 50, 1]);
});
