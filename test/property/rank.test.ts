/** Rank: priority is worth seconds, a deadline caps it, and nothing waits for ever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankOf } from '../../server/domain/rank.ts';
import { NOON_US, priority } from './arbitraries.ts';

const startUs = fc.integer({ min: 0, max: 7_258_118_400_000_000 });
const within = fc.integer({ min: -86_400_000_000, max: 86_400_000_000 });

describe('rankOf', () => {
  it('shifts by one second for each step of priority', () => {
    fc.assert(
      fc.property(startUs, fc.integer({ min: -100, max: 99 }), (start, step) => {
        expect(rankOf(start, step) - rankOf(start, step + 1)).toBe(1_000_000);
      }),
    );
  });

  it('orders equal priorities by their start', () => {
    fc.assert(
      fc.property(startUs, fc.integer({ min: 1, max: 1_000_000 }), priority, (start, later, step) => {
        expect(rankOf(start, step)).toBeLessThan(rankOf(start + later, step));
      }),
    );
  });

  it('lets a job that has waited 200 s longer go first, whatever the priorities', () => {
    fc.assert(
      fc.property(
        startUs,
        fc.integer({ min: 1, max: 1_000_000_000 }),
        priority,
        priority,
        (start, more, old, young) => {
          expect(rankOf(start, old)).toBeLessThan(rankOf(start + 200_000_000 + more, young));
        },
      ),
    );
    // Less would not do.
    expect(rankOf(NOON_US, -100)).toBe(rankOf(NOON_US + 200_000_000, 100));
  });

  it('is capped by the deadline and by nothing else', () => {
    fc.assert(
      fc.property(startUs, within, priority, (start, away, step) => {
        const deadline = start + away;
        expect(rankOf(start, step, deadline)).toBe(Math.min(rankOf(start, step), deadline));
        expect(rankOf(start, step, null)).toBe(rankOf(start, step));
      }),
    );
  });

  it('stays a whole number that the store and JavaScript hold exactly', () => {
    fc.assert(fc.property(startUs, priority, (start, step) => Number.isSafeInteger(rankOf(start, step))));
  });
});
