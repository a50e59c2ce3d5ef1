/** Group commit: an idle line sends at once, items queue behind a flush, and bad data fails only its own caller. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher, type BatcherOptions } from '../../../../server/engine/base/batcher.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { constantRandom, settle, VirtualTime } from './virtual-time.ts';

interface Flush<I> {
  readonly items: readonly I[];
  /** Ends the flush. Without results, each item gets its own text. */
  answer(results?: readonly string[]): void;
  fail(code: string): void;
}

/** A batcher whose flushes wait for the test to end them. */
function batcherOf<I>(options: Partial<BatcherOptions<I, string>> = {}) {
  const time = new VirtualTime();
  const flushes: Flush<I>[] = [];
  const batcher = new Batcher<I, string>({
    name: 'things',
    flush: (items) =>
      new Promise((resolve, reject) => {
        flushes.push({
          items,
          answer: (results = items.map(String)) => resolve(results),
          fail: (code) => reject(Object.assign(new Error(`SQLSTATE ${code}`), { code })),
        });
      }),
    timers: time,
    random: constantRandom(0.5),
    ...options,
  });
  return { batcher, flushes, time };
}

/** The outcome of each promise: its result, or the reason of its refusal. */
function outcomes(promises: readonly Promise<string>[]): Promise<string[]> {
  return Promise.all(promises.map((promise) => promise.catch((error: EngineError) => error.reason)));
}

const DATA = '22021';
const CONCURRENCY = '40001';
const WORLD = '57P01';

describe('an idle line', () => {
  it('sends at once, before the caller yields', () => {
    const { batcher, flushes } = batcherOf<number>();
    void batcher.add(1);
    expect(flushes.map(({ items }) => items)).toEqual([[1]]);
  });
});

describe('a flush in progress', () => {
  const itemsOf = (flushes: readonly Flush<number>[]) => flushes.map(({ items }) => items);

  it('leaves later items for the next flush', async () => {
    const { batcher, flushes, time } = batcherOf<number>();
    const results = [1, 2, 3, 4, 5].map((item) => batcher.add(item));
    expect(itemsOf(flushes)).toEqual([[1]]);
    flushes[0]?.answer();
    await settle();
    expect(itemsOf(flushes)).toEqual([[1], [2, 3, 4, 5]]);
    flushes[1]?.answer();
    expect(await Promise.all(results)).toEqual(['1', '2', '3', '4', '5']);
    await settle();
    expect(time.pending).toBe(0);
  });

  it('allows a second one in parallel when that batch is full, and no third', () => {
    const { batcher, flushes } = batcherOf<number>({ maxRows: 3 });
    for (const item of [1, 2, 3]) void batcher.add(item);
    expect(itemsOf(flushes)).toEqual([[1]]);
    for (const item of [4, 5, 6, 7, 8]) void batcher.add(item);
    expect(itemsOf(flushes)).toEqual([[1], [2, 3, 4]]);
  });

  it('that takes unusually long allows one more and no further ones', async () => {
    const { batcher, flushes, time } = batcherOf<number>();
    for (const item of [1, 2, 3]) void batcher.add(item);
    await time.advance(49);
    expect(itemsOf(flushes)).toEqual([[1]]);
    await time.advance(1);
    expect(itemsOf(flushes)).toEqual([[1], [2, 3]]);
    void batcher.add(4);
    await time.advance(1_000);
    expect(itemsOf(flushes)).toEqual([[1], [2, 3]]);
    flushes[1]?.answer();
    await settle();
    expect(itemsOf(flushes)).toEqual([[1], [2, 3], [4]]);
  });
});

describe('a batch', () => {
  const item = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 1_000 }))
    .map(([rows, bytes]) => ({ rows, bytes }));

  it('keeps the order and both bounds; an item above the bound goes alone; nothing is flushed twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 60 }), async (items) => {
        const bounds = { maxRows: 25, maxBytes: 600, inFlight: 1, maxQueuedRows: 10_000 };
        const { batcher, flushes } = batcherOf<(typeof items)[number]>({ ...bounds, sizeOf: (one) => one });
        const results = Promise.all(items.map((one) => batcher.add(one)));
        for (let i = 0; i < flushes.length; i++) {
          flushes[i]?.answer();
          await settle();
        }
        await results;
        expect(flushes.flatMap(({ items: sent }) => sent)).toEqual(items);
        for (const { items: sent } of flushes) {
          const sum = (pick: 'rows' | 'bytes') => sent.reduce((total, one) => total + one[pick], 0);
          if (sent.length > 1) expect([sum('rows') <= 25, sum('bytes') <= 600]).toEqual([true, true]);
        }
        flushes.slice(0, -1).forEach(({ items: sent }, i) => {
          // The line is busy from the first item on: each later batch takes as many items as fit.
          const [next] = flushes[i + 1]?.items ?? [];
          if (i === 0 || !next) return;
          const rows = sent.reduce((total, one) => total + one.rows, next.rows);
          const bytes = sent.reduce((total, one) => total + one.bytes, next.bytes);
          expect(rows > 25 || bytes > 600).toBe(true);
        });
      }),
    );
  });

  it('gives each caller its own result', async () => {
    const { batcher, flushes } = batcherOf<string>({ inFlight: 1 });
    const results = ['a', 'b', 'c'].map((one) => batcher.add(one));
    flushes[0]?.answer(['for a']);
    await settle();
    flushes[1]?.answer(['for b', 'for c']);
    expect(await Promise.all(results)).toEqual(['for a', 'for b', 'for c']);
  });
});

describe('bad data', () => {
  it('is isolated by halving the batch, and only its caller is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 64 }), async (bad) => {
        let flushes = 0;
        const { batcher } = batcherOf<number>({
          inFlight: 1,
          flush: async (items) => {
            flushes++;
            if (items.some((i) => bad[i])) throw Object.assign(new Error('bad'), { code: DATA });
            return items.map(String);
          },
        });
        const results = await outcomes(bad.map((_, i) => batcher.add(i)));
        expect(results).toEqual(bad.map((isBad, i) => (isBad ? 'INTERNAL' : String(i))));
        const depth = Math.ceil(Math.log2(bad.length)) + 1;
        expect(flushes).toBeLessThanOrEqual(2 + 2 * depth * bad.filter(Boolean).length);
      }),
    );
  });
});

describe('an environment fault', () => {
  it('fails every caller of its flush once, and no other', async () => {
    const { batcher, flushes } = batcherOf<number>({ inFlight: 1 });
    const results = outcomes([1, 2, 3].map((one) => batcher.add(one)));
    flushes[0]?.answer();
    await settle();
    flushes[1]?.fail(WORLD);
    await settle();
    const later = batcher.add(4);
    flushes[2]?.answer();
    expect(await results).toEqual(['1', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
    expect(await later).toBe('4');
    expect(flushes.map(({ items }) => items)).toEqual([[1], [2, 3], [4]]);
  });
});

describe('a conflict of concurrent changes', () => {
  it('makes the whole batch run again after growing delays', async () => {
    const { batcher, flushes, time } = batcherOf<number>({ inFlight: 1 });
    const result = batcher.add(1);
    const pauses = [5, 10, 20, 40, 80];
    for (const [i, ms] of pauses.entries()) {
      flushes[i]?.fail(CONCURRENCY);
      await time.advance(ms - 1);
      expect(flushes).toHaveLength(i + 1);
      await time.advance(1);
      expect(flushes).toHaveLength(i + 2);
    }
    flushes.at(-1)?.answer();
    expect(await result).toBe('1');
  });

  it('fails the batch after five more tries, with a retryable reason', async () => {
    const { batcher, flushes, time } = batcherOf<number>({ inFlight: 1 });
    const result = outcomes([batcher.add(1)]);
    for (let i = 0; i < 6; i++) {
      flushes[i]?.fail(CONCURRENCY);
      await time.advance(1_000);
    }
    expect(flushes).toHaveLength(6);
    expect(await result).toEqual(['CONFLICT']);
    expect(time.pending).toBe(0);
  });
});

describe('a full line', () => {
  it('refuses items above its bound and gives a retry delay', async () => {
    const { batcher, flushes } = batcherOf<number>({ inFlight: 1, maxQueuedRows: 3 });
    const results = [1, 2, 3, 4].map((one) => batcher.add(one));
    await expect(batcher.add(5)).rejects.toSatisfy(
      (error) => error instanceof EngineError && error.reason === 'OVERLOADED' && (error.facts.retryAfterMs ?? 0) > 0,
    );
    flushes[0]?.answer();
    await settle();
    const late = batcher.add(6);
    flushes[1]?.answer();
    await settle();
    flushes[2]?.answer();
    expect(await Promise.all([...results, late])).toEqual(['1', '2', '3', '4', '6']);
  });

  it('accepts a single item above the bound, which would never fit otherwise', async () => {
    const { batcher, flushes } = batcherOf<number>({ maxQueuedRows: 3, sizeOf: () => ({ rows: 10, bytes: 0 }) });
    const result = batcher.add(1);
    flushes[0]?.answer();
    expect(await result).toBe('1');
  });

  it('refuses items once too many bytes are queued or being flushed', async () => {
    const sizeOf = (bytes: number) => ({ rows: 1, bytes });
    const { batcher, flushes } = batcherOf<number>({ inFlight: 1, maxHeldBytes: 100, sizeOf });
    const results = [batcher.add(60), batcher.add(40)];
    await expect(batcher.add(1)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    flushes[0]?.answer();
    await settle();
    const late = batcher.add(50);
    await expect(batcher.add(20)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    for (const n of [1, 2]) {
      flushes[n]?.answer();
      await settle();
    }
    expect(await Promise.all([...results, late])).toEqual(['60', '40', '50']);
  });
});
