/** Properties of a circuit breaker, for any events in any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterProbe,
  type BreakerStatus,
  type CircuitBreaker,
  closed,
  closedBreaker,
  countFailures,
  failuresNow,
  isProbeDue,
  type ProbeFate,
  withProbe,
} from '../../../server/domain/retries/circuit-breaker.ts';
import { NOON_US, SESSION_ID } from '../base/arbitraries.ts';

type Step =
  | { readonly kind: 'fail'; readonly failures: number }
  | { readonly kind: 'try' }
  | { readonly kind: 'end'; readonly fate: ProbeFate }
  | { readonly kind: 'close' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('fail' as const), failures: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'try' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      fate: fc.constantFrom<ProbeFate>('SUCCEEDED', 'FAILED', 'GONE'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
);

const breaker: fc.Arbitrary<CircuitBreaker> = fc.record({
  name: fc.constant('b'),
  failureThreshold: fc.integer({ min: 1, max: 12 }),
  windowMs: fc.integer({ min: 1_000, max: 20_000 }),
  openDurationMs: fc.integer({ min: 1_000, max: 20_000 }),
  types: fc.constant([]),
});

/** Steps at times that mostly increase; a step that waited for a lock comes with an earlier time. */
const history = fc.array(fc.tuple(step, fc.integer({ min: -200_000, max: 4_000_000 })), { maxLength: 60 });

function after(status: BreakerStatus, what: Step, given: CircuitBreaker, nowUs: number): BreakerStatus {
  switch (what.kind) {
    case 'fail':
      return countFailures(status, what.failures, given, nowUs);
    case 'try':
      return isProbeDue(status, nowUs) ? withProbe(status, { jobId: SESSION_ID, attempt: 1 }) : status;
    case 'end':
      return status.probe ? afterProbe(status, what.fate, nowUs) : status;
    case 'close':
      return closed(status);
  }
}

function walk(
  given: CircuitBreaker,
  steps: readonly (readonly [Step, number])[],
  inspect: (before: BreakerStatus, now: BreakerStatus, what: Step, nowUs: number) => void,
): void {
  let status = closedBreaker;
  let nowUs = NOON_US;
  for (const [what, us] of steps) {
    nowUs += us;
    const next = after(status, what, given, nowUs);
    inspect(status, next, what, nowUs);
    status = next;
  }
}

describe('a circuit breaker', () => {
  it('has a probe time when open, a probe when half open, and neither when closed', () => {
    fc.assert(
      fc.property(breaker, history, (given, steps) =>
        walk(given, steps, (_before, now) => {
          expect(now.probeTimeUs !== null).toBe(now.state === 'OPEN');
          expect(now.probe !== null).toBe(now.state === 'HALF_OPEN');
          expect(now.tallies.length).toBeLessThanOrEqual(21);
        }),
      ),
    );
  });

  it('opens for failures only at the threshold, and never stays closed above it', () => {
    fc.assert(
      fc.property(breaker, history, (given, steps) =>
        walk(given, steps, (before, now, what, nowUs) => {
          if (before.state !== 'CLOSED' || what.kind !== 'fail') return;
          expect(now.state === 'OPEN').toBe(failuresNow(now, nowUs) >= given.failureThreshold);
        }),
      ),
    );
  });

  it('counts no failure twice and forgets none before its time', () => {
    fc.assert(
      fc.property(breaker, fc.array(fc.integer({ min: 0, max: 4_000_000 }), { maxLength: 60 }), (given, waits) => {
        const never = { ...given, failureThreshold: 10_000 };
        const times: number[] = [];
        let status = closedBreaker;
        let nowUs = NOON_US;
        for (const us of waits) {
          nowUs += us;
          times.push(nowUs);
          status = countFailures(status, 1, never, nowUs);
          const windowUs = given.windowMs * 1000;
          const within = (us: number) => times.filter((time) => time > nowUs - us).length;
          expect(failuresNow(status, nowUs)).toBeLessThanOrEqual(within(windowUs));
          expect(failuresNow(status, nowUs)).toBeGreaterThanOrEqual(within(windowUs * 0.95));
        }
      }),
    );
  });

  it('closes only by a successful probe or an operator', () => {
    fc.assert(
      fc.property(breaker, history, (given, steps) =>
        walk(given, steps, (before, now, what) => {
          if (before.state === 'CLOSED' || now.state !== 'CLOSED') return;
          expect(what.kind === 'close' || (what.kind === 'end' && what.fate === 'SUCCEEDED')).toBe(true);
        }),
      ),
    );
  });

  it('starts no probe before its time, and is not delayed by failures meanwhile', () => {
    fc.assert(
      fc.property(breaker, history, (given, steps) =>
        walk(given, steps, (before, now, what, nowUs) => {
          if (before.state !== 'OPEN') return;
          if (what.kind === 'fail') expect(now).toBe(before);
          if (now.state === 'HALF_OPEN') expect(before.probeTimeUs).toBeLessThanOrEqual(nowUs);
        }),
      ),
    );
  });
});
