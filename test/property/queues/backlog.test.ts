/** Properties of the bounds of queues, for any backlog and any submissions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BacklogBounds,
  drainRate,
  firstOverrun,
  overrunOf,
  retryAfterMs,
} from '../../../server/domain/queues/backlog.ts';

const bounds: fc.Arbitrary<BacklogBounds> = fc.record({
  maxBacklog: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 1_000_000_000 })),
  maxBacklogAgeMs: fc.option(fc.integer({ min: 1_000, max: 2_592_000_000 })),
});
const backlog = fc.record({
  waiting: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2_000_000_000 })),
  ageMs: fc.double({ min: 0, max: 5e9, noNaN: true }),
});
const priority = fc.integer({ min: -100, max: 100 });
const entrant = fc.record({ priority, isReady: fc.boolean() });

describe('the bounds of a queue', () => {
  it('never refuse a higher priority while they accept a lower one', () => {
    fc.assert(
      fc.property(bounds, backlog, priority, priority, (allowed, now, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        if (overrunOf(allowed, now, high)) expect(overrunOf(allowed, now, low)).toBeDefined();
      }),
    );
  });

  it('never accept again when the backlog or its age grows', () => {
    fc.assert(
      fc.property(bounds, backlog, priority, fc.nat(1_000), fc.nat(1_000_000), (allowed, now, p, more, ms) => {
        const later = { waiting: now.waiting + more, ageMs: now.ageMs + ms };
        if (overrunOf(allowed, now, p)) expect(overrunOf(allowed, later, p)).toBeDefined();
      }),
    );
  });

  it('accept everything when the queue is empty', () => {
    fc.assert(
      fc.property(bounds, priority, (allowed, p) => {
        expect(overrunOf(allowed, { waiting: 0, ageMs: 0 }, p)).toBeUndefined();
      }),
    );
  });

  it('give the exact number of jobs that must leave first', () => {
    fc.assert(
      fc.property(bounds, backlog, priority, (given, now, p) => {
        const allowed = { ...given, maxBacklogAgeMs: null };
        const overrun = overrunOf(allowed, now, p);
        if (!overrun) return;
        const without = (gone: number) => overrunOf(allowed, { ...now, waiting: now.waiting - gone }, p);
        expect(without(overrun.excess)).toBeUndefined();
        expect(without(overrun.excess - 1)).toBeDefined();
      }),
    );
  });

  it('hold for an accepted call: each of its jobs would have been accepted alone', () => {
    const small = fc.record({ maxBacklog: fc.integer({ min: 1, max: 20 }), maxBacklogAgeMs: fc.constant(null) });
    const some = fc.record({ waiting: fc.nat(25), ageMs: fc.constant(0) });
    fc.assert(
      fc.property(small, some, fc.array(entrant, { maxLength: 30 }), (allowed, now, jobs) => {
        const first = firstOverrun(allowed, now, jobs);
        const oneByOne = jobs.findIndex((job, i) => {
          const waiting = now.waiting + jobs.slice(0, i).filter(({ isReady }) => isReady).length;
          return overrunOf(allowed, { ...now, waiting }, job.priority) !== undefined;
        });
        expect(first?.jobIndex ?? -1).toBe(oneByOne);
        // Never beyond the bound for the highest priorities.
        const readyJobs = jobs.filter(({ isReady }) => isReady).length;
        if (!first && readyJobs > 0)
          expect(now.waiting + readyJobs).toBeLessThanOrEqual(Math.ceil(allowed.maxBacklog * 1.2));
      }),
    );
  });
});

describe('the retry delay of a full queue', () => {
  it('is between a second and a minute, and shorter when jobs leave faster or fewer must leave', () => {
    const rate = fc.double({ min: 0, max: 1e6, noNaN: true });
    const excess = fc.integer({ min: 1, max: 2_000_000_000 });
    fc.assert(
      fc.property(excess, excess, rate, rate, (one, other, slow, fast) => {
        const [few, many] = [Math.min(one, other), Math.max(one, other)];
        const sooner = retryAfterMs(few, Math.max(slow, fast));
        expect(sooner).toBeGreaterThanOrEqual(1_000);
        expect(sooner).toBeLessThanOrEqual(retryAfterMs(many, Math.min(slow, fast)));
        expect(retryAfterMs(many, Math.min(slow, fast))).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it('uses a rate between the previous and the current measurement', () => {
    const left = fc.integer({ min: -1_000, max: 1_000_000 });
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        left,
        fc.integer({ min: 1_000, max: 1e9 }),
        (before, n, ms) => {
          const now = drainRate(undefined, n, ms);
          const rate = drainRate(before, n, ms);
          expect(rate).toBeGreaterThanOrEqual(Math.min(before, now) * (1 - 1e-9));
          expect(rate).toBeLessThanOrEqual(Math.max(before, now) * (1 + 1e-9));
        },
      ),
    );
  });
});
