/** Backoff: random from zero to a bound that grows up to a cap, over the whole width. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { decideRelease, decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import type { Continue, OpenRun } from '../../../server/domain/jobs/run.ts';
import { backoffBoundMs, backoffMs, lossBackoff, releaseBackoff } from '../../../server/domain/retries/backoff.ts';
import { chance, NOON_US, openRun, plainPolicy, retryPolicy } from '../base/arbitraries.ts';

const retry = fc.integer({ min: 1, max: 2_000 });

describe('backoffBoundMs', () => {
  it('begins with the smallest value, never falls, and stops at the cap', () => {
    fc.assert(
      fc.property(plainPolicy, retry, (policy, n) => {
        const bound = backoffBoundMs(policy, n);
        expect(backoffBoundMs(policy, 1)).toBe(policy.minBackoffMs);
        expect(bound).toBeGreaterThanOrEqual(policy.minBackoffMs);
        expect(bound).toBeLessThanOrEqual(policy.maxBackoffMs);
        expect(backoffBoundMs(policy, n + 1)).toBeGreaterThanOrEqual(bound);
      }),
    );
  });

  it('grows by the multiplier up to the cap', () => {
    fc.assert(
      fc.property(plainPolicy, fc.integer({ min: 1, max: 6 }), (policy, n) => {
        const grown = backoffBoundMs(policy, n) * policy.multiplier;
        expect(backoffBoundMs(policy, n + 1) / Math.min(grown, policy.maxBackoffMs)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('grows by one smallest backoff per retry when LINEAR, and not at all when CONSTANT', () => {
    fc.assert(
      fc.property(plainPolicy, retry, (policy, n) => {
        expect(backoffBoundMs({ ...policy, backoff: 'CONSTANT' }, n)).toBe(policy.minBackoffMs);
        const linear = (k: number) => backoffBoundMs({ ...policy, backoff: 'LINEAR' }, k);
        expect(linear(1)).toBe(policy.minBackoffMs);
        expect(linear(n + 1)).toBe(Math.min(policy.maxBackoffMs, linear(n) + policy.minBackoffMs));
      }),
    );
  });

  it('follows a LIST and stays at its end, whatever the cap', () => {
    fc.assert(
      fc.property(plainPolicy, fc.array(fc.nat(), { minLength: 1, maxLength: 100 }), retry, (policy, delaysMs, n) => {
        expect(backoffBoundMs({ ...policy, backoff: 'LIST', delaysMs }, n)).toBe(delaysMs[n - 1] ?? delaysMs.at(-1));
      }),
    );
  });
});

describe('backoffMs', () => {
  it('is between zero and the bound, in whole milliseconds', () => {
    fc.assert(
      fc.property(retryPolicy, retry, chance, (policy, n, random) => {
        const ms = backoffMs(policy, n, random);
        expect(Number.isSafeInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.round(backoffBoundMs(policy, n)));
      }),
    );
  });

  it('is the bound itself without jitter', () => {
    fc.assert(
      fc.property(retryPolicy, retry, chance, (policy, n, random) => {
        expect(backoffMs({ ...policy, jitter: 'NONE' }, n, random)).toBe(Math.round(backoffBoundMs(policy, n)));
      }),
    );
  });

  it('covers the whole width evenly', () => {
    fc.assert(
      fc.property(retryPolicy, retry, ({ jitter: _, ...policy }, n) => {
        const bound = backoffBoundMs(policy, n);
        for (let part = 0; part < 100; part++) {
          expect(Math.abs(backoffMs(policy, n, part / 100) - (bound * part) / 100)).toBeLessThanOrEqual(0.5);
        }
        expect(backoffMs(policy, n, 1 - Number.EPSILON)).toBe(Math.round(bound));
      }),
    );
  });
});

const { retryPolicy: defaults } = definitionDefaults;
/** A run in its first attempt. */
const assigned = openRun('ASSIGNED', defaults).map(
  (run): OpenRun => ({ ...run, attempt: 1, attemptCount: 0, totalLosses: 0 }),
);

/** Releases the job at each of the given times. Returns the delay after each release, in µs. */
function delaysOf(run: OpenRun, timesUs: readonly number[], random: number): number[] {
  let now: OpenRun = { ...run, releases: 0, releasesSinceUs: null };
  return timesUs.map((nowUs) => {
    const change = decideRelease(now, 'NO_SLOT', { nowUs, random }) as Continue;
    now = { ...now, releases: change.releases, releasesSinceUs: change.releasesSinceUs };
    return change.state === 'READY' ? 0 : (change.dueTimeUs ?? 0) - nowUs;
  });
}

const gapsUs = (max: number, length: number) =>
  fc.array(fc.integer({ min: 0, max }), { minLength: length, maxLength: length });

function timesFrom(gaps: readonly number[]): number[] {
  let at = NOON_US;
  return gaps.map((gap) => (at += gap));
}

describe('the backoff of releases', () => {
  it('never delays the first ten releases, however close', () => {
    fc.assert(
      fc.property(assigned, gapsUs(120_000_000, 10), chance, (run, gaps, random) => {
        expect(delaysOf(run, timesFrom(gaps), random)).toEqual(gaps.map(() => 0));
      }),
    );
  });

  it('delays each release after ten within a minute, with bounds that grow to their cap', () => {
    fc.assert(
      fc.property(assigned, gapsUs(2_000_000, 30), chance, (run, gaps, random) => {
        const delays = delaysOf(run, timesFrom([0, ...gaps.slice(1)]), random);
        expect(delays.slice(0, 10).every((delay) => delay === 0)).toBe(true);
        delays.slice(10).forEach((delay, i) => {
          expect(delay).toBeGreaterThan(0);
          expect(delay).toBeLessThanOrEqual(Math.max(1, backoffBoundMs(releaseBackoff, i + 1)) * 1_000);
        });
      }),
    );
  });

  it('starts anew when the minute is over', () => {
    fc.assert(
      fc.property(assigned, fc.integer({ min: 60_000_001, max: 600_000_000 }), chance, (run, pauseUs, random) => {
        const first = Array.from({ length: 15 }, () => NOON_US);
        const second = Array.from({ length: 10 }, () => NOON_US + pauseUs);
        expect(delaysOf(run, [...first, ...second], random).slice(15)).toEqual(second.map(() => 0));
      }),
    );
  });
});

describe('the backoff of losses', () => {
  it('is zero after the first loss, and bounded after others', () => {
    fc.assert(
      fc.property(assigned, fc.integer({ min: 0, max: 98 }), chance, (run, totalLosses, random) => {
        const change = decideSessionEnd({ ...run, suspectLosses: 0, totalLosses }, 'LAPSE', {
          nowUs: NOON_US,
          random,
        }) as Continue;
        expect(change.state).toBe(totalLosses === 0 ? 'READY' : 'SCHEDULED');
        if (totalLosses === 0) return;
        const delayMs = ((change.dueTimeUs ?? 0) - NOON_US) / 1_000;
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThanOrEqual(backoffBoundMs(lossBackoff, totalLosses));
      }),
    );
  });
});
