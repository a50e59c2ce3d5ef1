/** Fan-outs whose items end in any order and in batches, compared with a full evaluation of the list of items. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginFanOut,
  decideFanOut,
  endItems,
  type FanOutState,
  openItems,
  startItems,
} from '../../../server/domain/workflows/fan-out.ts';
import { countOf, includes, parseIndexes, type Span } from '../../../server/domain/workflows/indexes.ts';
import type { FanOut, SuccessRule } from '../../../server/domain/workflows/workflow.ts';
import { type Item, outcomeOf } from '../../support/workflows/fan-out-oracle.ts';

/** In order and disjoint, some of them beyond the end of most lists. */
const spans: fc.Arbitrary<Span[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 3 })), { minLength: 1, maxLength: 5 })
  .map((steps) => {
    let last = -1;
    return steps.map(([gap, length]): Span => {
      const first = last + gap;
      last = first + length;
      return [first, last];
    });
  });

const successRule: fc.Arbitrary<SuccessRule> = fc.record(
  { indexes: spans, count: fc.integer({ min: 1, max: 6 }) },
  { requiredKeys: [] },
);

const fanOut: fc.Arbitrary<FanOut> = fc.record(
  {
    items: fc.constant('workflow.input'),
    maxParallel: fc.integer({ min: 1, max: 8 }),
    maxFailed: fc.nat({ max: 4 }),
    successPolicy: fc.array(successRule, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['items'] },
);

const game = fc.record({
  given: fanOut,
  /** Whether each item will succeed. */
  items: fc.array(fc.constantFrom(true, true, false), { maxLength: 20, size: 'max' }),
  picks: fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 60 }),
});

type Game = typeof game extends fc.Arbitrary<infer T> ? T : never;

/** Runs the fan-out until no item is open, and calls `probe` at each decision. */
function play({ given, items: fates, picks }: Game, probe: (state: FanOutState, items: readonly Item[]) => void): void {
  const items = fates.map((): Item => 'UNSTARTED');
  let turn = 0;
  const random = (below: number) => (picks[turn++ % picks.length] ?? 0) % below;
  for (let state = beginFanOut(given, items.length); ; ) {
    const decision = decideFanOut(given, state);
    probe(state, items);
    if (decision.kind === 'CONTINUE' && decision.start > 0) {
      const more = 1 + random(decision.start);
      items.fill('OPEN', state.started, state.started + more);
      state = startItems(state, more);
    }
    const open = [...items.keys()].filter((item) => items[item] === 'OPEN');
    if (open.length === 0) {
      if (decision.kind === 'CONTINUE') throw new Error('it hangs: no item is open');
      return;
    }
    const batch = open.splice(random(open.length)).map((item) => ({ item, succeeded: fates[item] === true }));
    for (const { item, succeeded } of batch) items[item] = succeeded ? 'SUCCEEDED' : 'FAILED';
    state = endItems(given, state, batch);
  }
}

describe('a fan-out', () => {
  it('continues, succeeds and fails as its list of items says, and its decision is final', () => {
    fc.assert(
      fc.property(game, (one) => {
        let over: string | undefined;
        play(one, (state, items) => {
          const decision = decideFanOut(one.given, state);
          expect(decision.kind).toBe(over ?? outcomeOf(one.given, items));
          if (decision.kind !== 'CONTINUE') over = decision.kind;
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('starts as many items as may run in parallel, and none once it is decided', () => {
    fc.assert(
      fc.property(game, (one) => {
        play(one, (state, items) => {
          const decision = decideFanOut(one.given, state);
          const open = items.filter((item) => item === 'OPEN').length;
          const unstarted = items.filter((item) => item === 'UNSTARTED').length;
          expect(openItems(state)).toBe(open);
          if (decision.kind === 'CONTINUE') {
            const space = (one.given.maxParallel ?? items.length) - open;
            expect(decision.start).toBe(Math.min(space, unstarted));
          } else expect(decision.cancelOpen).toBe(open > 0);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps its reason while open items end', () => {
    fc.assert(
      fc.property(game, (one) => {
        const reasons = new Set<string>();
        play(one, (state) => {
          const decision = decideFanOut(one.given, state);
          if (decision.kind === 'FAIL') reasons.add(decision.reason);
        });
        expect(reasons.size).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the text of indexes', () => {
  it('is parsed as it is written', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const text = list.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join();
        expect(parseIndexes(text)).toEqual({ spans: list });
      }),
    );
  });

  it('contains the indexes that are in one of its spans', () => {
    fc.assert(
      fc.property(spans, fc.nat({ max: 50 }), (list, size) => {
        const places = Array.from({ length: size }, (_, place) => place);
        const within = places.filter((place) => list.some(([first, last]) => first <= place && place <= last));
        expect(places.filter((place) => includes(list, place))).toEqual(within);
        expect(countOf(list, size)).toBe(within.length);
      }),
    );
  });

  it('is refused for any other syntax, or is in order', () => {
    const text = fc.array(fc.constantFrom('0', '1', '2', '9', '10', '99999', '100000', ',', '-', ' ', 'x', ''));
    fc.assert(
      fc.property(text, (parts) => {
        const parsed = parseIndexes(parts.join(''));
        if ('problem' in parsed) return;
        const ends = parsed.spans.flat();
        expect(ends).toEqual([...ends].sort((a, b) => a - b));
        const firsts = parsed.spans.map(([first]) => first);
        expect(new Set(firsts).size).toBe(firsts.length);
      }),
    );
  });
});
