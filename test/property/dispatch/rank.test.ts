/** Rank: priority is worth seconds, a deadline caps it, and no job waits for ever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairStep, MAX_WEIGHT, MIN_WEIGHT } from '../../../server/domain/dispatch/fair-rank.ts';
import { rankOf } from '../../../server/domain/dispatch/rank.ts';
import { NOON_US, priority } from '../base/arbitraries.ts';

const startUs = fc.integer({ min: 0, max: 7_258_118_400_000_000 });
const more = fc.integer({ min: 1, max: 1_000_000_000 });
/** The time that is left to a ready job, whose deadline is still to come. */
const leftUs = fc.option(fc.integer({ min: 0, max: 1_000_000_000 }));
const weight = fc.constantFrom(MIN_WEIGHT, 0.3, 1, 7, MAX_WEIGHT);
const within = fc.integer({ min: -86_400_000_000, max: 86_400_000_000 });

describe('rankOf', () => {
  it('shifts by one second per step of priority', () => {
    fc.assert(
      fc.property(startUs, fc.integer({ min: -100, max: 99 }), (start, step) => {
        expect(rankOf(start, step) - rankOf(start, step + 1)).toBe(1_000_000);
      }),
    );
  });

  it('orders jobs of equal priority by their start', () => {
    fc.assert(
      fc.property(startUs, fc.integer({ min: 1, max: 1_000_000 }), priority, (start, later, step) => {
        expect(rankOf(start, step)).toBeLessThan(rankOf(start + later, step));
      }),
    );
  });

  it('puts a job first that has waited 200 s longer, whatever the priorities', () => {
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
    // A smaller bound would be wrong.
    expect(rankOf(NOON_US, -100)).toBe(rankOf(NOON_US + 200_000_000, 100));
  });

  it('lets a deadline bring a job of low priority forward, but no further than priority 0 would', () => {
    fc.assert(
      fc.property(startUs, more, priority, priority, leftUs, leftUs, (start, later, old, young, oldLeft, youngLeft) => {
        const lead = (Math.max(young, 0) - old) * 1_000_000;
        const youngStart = start + Math.max(0, lead) + later;
        const oldDeadline = oldLeft === null ? null : start + oldLeft;
        const youngDeadline = youngStart + (youngLeft ?? 0);
        expect(rankOf(start, old, oldDeadline)).toBeLessThan(rankOf(youngStart, young, youngDeadline));
      }),
    );
    // Of two jobs of priority -50, the one with a deadline may have come up to 50 s later.
    const late = NOON_US + 49_000_000;
    expect(rankOf(late, -50, late + 1)).toBeLessThan(rankOf(NOON_US, -50));
  });

  it('puts a job with a fair turn before all jobs that become ready a given time after that turn', () => {
    fc.assert(
      fc.property(
        startUs,
        fc.nat(1_000_000),
        weight,
        more,
        priority,
        priority,
        (start, jobs, of, later, keyed, other) => {
          const turn = start + jobs * fairStep(of);
          const ready = turn + Math.max(0, other - keyed) * 1_000_000 + later;
          expect(rankOf(turn, keyed)).toBeLessThan(rankOf(ready, other));
        },
      ),
    );
    // How far ahead a million jobs of a key reach, by weight.
    expect([1, MIN_WEIGHT, MAX_WEIGHT].map((of) => 1_000_000 * fairStep(of))).toEqual([1e8, 1e10, 1e6]);
  });

  it('is capped only by the deadline', () => {
    fc.assert(
      fc.property(startUs, within, priority, (start, away, step) => {
        const deadline = start + away;
        expect(rankOf(start, step, deadline)).toBe(Math.min(rankOf(start, step), deadline));
        expect(rankOf(start, step, null)).toBe(rankOf(start, step));
      }),
    );
  });

  it('is always an integer that the store and JavaScript represent exactly', () => {
    fc.assert(fc.property(startUs, priority, (start, step) => Number.isSafeInteger(rankOf(start, step))));
  });
});
