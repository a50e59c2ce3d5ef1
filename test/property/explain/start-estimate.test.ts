/** Estimates of starts: never in the past, never later for a better position, narrower with more data. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateStart, type Range } from '../../../server/domain/explain/start-estimate.ts';
import { NOON_US } from '../base/arbitraries.ts';

const place = fc.integer({ min: 1, max: 1_001 });
const recent = fc.record({
  starts: fc.integer({ min: 1, max: 1_000_000 }),
  windowUs: fc.integer({ min: 60_000_000, max: 119_999_999 }),
});
const estimated = (at: number, given: { starts: number; windowUs: number }) =>
  estimateStart(at, false, given, NOON_US) as Range & { latestUs: number };

describe('an estimate of a start', () => {
  it('is in the future, with its earliest time before its latest', () => {
    fc.assert(
      fc.property(place, recent, (at, given) => {
        const { earliestUs, latestUs } = estimated(at, given);
        expect(earliestUs).toBeGreaterThanOrEqual(NOON_US);
        expect(latestUs).toBeGreaterThan(earliestUs);
      }),
    );
  });

  it('contains the time that the exact rate would give', () => {
    fc.assert(
      fc.property(place, recent, (at, given) => {
        const { earliestUs, latestUs } = estimated(at, given);
        const evenUs = NOON_US + (at * given.windowUs) / given.starts;
        expect(earliestUs).toBeLessThanOrEqual(evenUs);
        expect(latestUs).toBeGreaterThanOrEqual(evenUs);
      }),
    );
  });

  it('is no later for a better position or for more recent starts', () => {
    fc.assert(
      fc.property(place, recent, fc.integer({ min: 1, max: 1_000 }), (at, given, more) => {
        const here = estimated(at, given);
        const behind = estimated(at + more, given);
        const busier = estimated(at, { ...given, starts: given.starts + more });
        expect(behind.earliestUs).toBeGreaterThanOrEqual(here.earliestUs);
        expect(behind.latestUs).toBeGreaterThanOrEqual(here.latestUs);
        expect(busier.earliestUs).toBeLessThanOrEqual(here.earliestUs);
        expect(busier.latestUs).toBeLessThanOrEqual(here.latestUs);
      }),
    );
  });

  it('does not exist without recent starts, and has no latest time when the position is a lower bound', () => {
    expect(estimateStart(1, false, { starts: 0, windowUs: 60_000_000 }, NOON_US)).toBeUndefined();
    const least = estimateStart(1_001, true, { starts: 60, windowUs: 60_000_000 }, NOON_US);
    expect(least).toMatchObject({ latestUs: undefined, earliestUs: expect.any(Number) });
  });
});
