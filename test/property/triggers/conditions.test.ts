/**
 * Properties of conditions: a trigger that keeps one cause for each place fires exactly when some choice among all
 * causes since its last firing meets the condition.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceTrigger, type HeldCause, type JudgedCause } from '../../../server/domain/triggers/advance.ts';
import {
  type Condition,
  causesOf,
  depthOf,
  heldAt,
  isMet,
  missingOf,
  nodesOf,
} from '../../../server/domain/triggers/condition.ts';

const cause: fc.Arbitrary<Condition> = fc.constantFrom('a', 'b', 'c').map((name) => ({
  kind: 'CAUSE',
  cause: { source: 'SIGNAL', name, filter: '', key: '' },
}));

const { condition } = fc.letrec<{ condition: Condition; node: Condition }>((tie) => ({
  condition: tie('node').filter((one) => causesOf(one).length <= 5),
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    cause,
    fc.record({
      kind: fc.constant('ALL_OF' as const),
      conditions: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
      withinMs: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('ANY_OF' as const),
      conditions: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
  ) as fc.Arbitrary<Condition>,
}));

interface Step {
  readonly place: number;
  readonly afterMs: number;
  readonly key: string;
}

const steps = fc.array(
  fc.record({ place: fc.nat(20), afterMs: fc.integer({ min: 0, max: 4 }), key: fc.constantFrom('x', 'y') }),
  { maxLength: 14 },
);

function judgedOf(whole: Condition, all: readonly Step[]): JudgedCause[] {
  const { length } = causesOf(whole);
  let timeUs = 0;
  return all.map(({ place, afterMs, key }, rowId) => {
    timeUs += afterMs * 1_000;
    return { rowId, number: place % length, timeUs, bytes: 1, key };
  });
}

/** Whether some choice of at most one cause for each place meets the condition. */
function canBeMet(whole: Condition, history: readonly JudgedCause[]): boolean {
  const { length } = causesOf(whole);
  const choices = Array.from({ length }, (_, number) => [
    undefined,
    ...history.filter((one) => one.number === number).map(({ timeUs }) => timeUs),
  ]);
  const met = (place: number, held: ReadonlyMap<number, number>): boolean => {
    if (place === length) return isMet(whole, held);
    return (choices[place] ?? []).some((timeUs) =>
      met(place + 1, timeUs === undefined ? held : new Map(held).set(place, timeUs)),
    );
  };
  return met(0, new Map());
}

/** Feeds the causes in pages. */
function advanceInPages(whole: Condition, judged: readonly JudgedCause[], size: number) {
  let held: HeldCause[] = [];
  const rows = new Set<number>();
  const firings: { readonly key: string; readonly timeUs: number; readonly rowIds: readonly number[] }[] = [];
  for (let at = 0; at < judged.length; at += size) {
    const page = judged.slice(at, at + size);
    for (const { rowId } of page) rows.add(rowId);
    const advance = advanceTrigger(whole, page, held);
    for (const { key, timeUs, causes } of advance.firings)
      firings.push({ key, timeUs, rowIds: causes.map(({ rowId }) => rowId) });
    const dropped = new Set(advance.dropped);
    for (const rowId of dropped) rows.delete(rowId);
    const changed = new Map(advance.held.map((one) => [one.rowId, one]));
    held = [...held.filter(({ rowId }) => !changed.has(rowId)), ...changed.values()].filter(
      ({ rowId }) => !dropped.has(rowId),
    );
  }
  return { firings, held, rows };
}

describe('a trigger', () => {
  it('fires exactly when some choice among all causes since its last firing meets the condition', () => {
    fc.assert(
      fc.property(condition, steps, fc.integer({ min: 1, max: 5 }), (whole, all, size) => {
        const judged = judgedOf(whole, all);
        const fired = advanceInPages(whole, judged, size).firings.map(({ key, timeUs }) => ({ key, timeUs }));
        const expected: typeof fired = [];
        const since = new Map<string, JudgedCause[]>();
        for (const one of judged) {
          const key = one.key as string;
          const history = [...(since.get(key) ?? []), one];
          const isFired = canBeMet(whole, history);
          if (isFired) expected.push({ key, timeUs: one.timeUs });
          since.set(key, isFired ? [] : history);
        }
        expect(fired).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps at most one cause for each place and key, counts the others, and does the same in pages of any size', () => {
    fc.assert(
      fc.property(condition, steps, fc.integer({ min: 1, max: 5 }), (whole, all, size) => {
        const judged = judgedOf(whole, all);
        const { firings, held, rows } = advanceInPages(whole, judged, size);
        const once = advanceInPages(whole, judged, 100);
        expect(firings).toEqual(once.firings);
        const byRow = (a: HeldCause, b: HeldCause) => a.rowId - b.rowId;
        expect(held.toSorted(byRow)).toEqual(once.held.toSorted(byRow));
        expect(rows).toEqual(new Set(held.map(({ rowId }) => rowId)));
        const places = held.map(({ key, number }) => `${key}/${number}`);
        expect(new Set(places).size).toBe(places.length);
        const used = firings.flatMap(({ rowIds }) => rowIds);
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('misses nothing exactly when its condition is met', () => {
    fc.assert(
      fc.property(condition, fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { maxLength: 5 }), (whole, times) => {
        const all = new Map(times.flatMap((ms, i) => (ms === null ? [] : [[i, ms * 1_000] as const])));
        const held = heldAt(whole, all, Math.max(0, ...all.values()));
        expect(missingOf(whole, held).length === 0).toBe(isMet(whole, held));
      }),
    );
  });

  it('has as many nodes as its parts together, and is at least as deep as each of them', () => {
    fc.assert(
      fc.property(fc.array(condition, { minLength: 1, maxLength: 3 }), (conditions) => {
        const whole: Condition = { kind: 'ANY_OF', conditions };
        expect(nodesOf(whole)).toBe(1 + conditions.reduce((sum, one) => sum + nodesOf(one), 0));
        expect(depthOf(whole)).toBe(1 + Math.max(...conditions.map(depthOf)));
        expect(causesOf(whole)).toEqual(conditions.flatMap(causesOf));
      }),
    );
  });
});
