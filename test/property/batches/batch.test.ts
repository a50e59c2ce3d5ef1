/** Properties of a batch, for any ends of its members in any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterEnds,
  type BatchEnds,
  type BatchProgress,
  countEnded,
  countFailed,
  endOf,
  type FailurePolicy,
  newBatch,
  outcomeOf,
} from '../../../server/domain/batches/batch.ts';
import { estimatedEndUs, noEnds, rateOf, withEnds } from '../../../server/domain/explain/end-rate.ts';

const NOW = 1_800_000_000_000_000;
const states = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED'] as const;
const policy: fc.Arbitrary<FailurePolicy> = fc.oneof(
  fc.constantFrom<FailurePolicy>('NONE', 'ANY'),
  fc.integer({ min: 0, max: 20 }),
);
const ends = fc.array(fc.record({ state: fc.constantFrom(...states), jobs: fc.integer({ min: 1, max: 5 }) }), {
  maxLength: 4,
});
const reported: fc.Arbitrary<BatchEnds[]> = fc.array(fc.record({ ends, isCancelled: fc.constant(false) }), {
  maxLength: 8,
});
const sum = (batchEnds: readonly BatchEnds[], of: readonly string[] = states) =>
  batchEnds.flatMap((one) => one.ends).reduce((jobs, end) => jobs + (of.includes(end.state) ? end.jobs : 0), 0);

function apply(batchEnds: readonly BatchEnds[], by: FailurePolicy, from: BatchProgress = newBatch): BatchProgress {
  return batchEnds.reduce((batch, one) => afterEnds(batch, by, one, NOW), from);
}

describe('a batch', () => {
  it('counts each end once, in whichever portions the ends come', () => {
    fc.assert(
      fc.property(reported, policy, (batchEnds, by) => {
        const piecemeal = apply(batchEnds, by);
        const atOnce = apply([{ ends: batchEnds.flatMap((one) => one.ends), isCancelled: false }], by);
        expect(piecemeal).toEqual(atOnce);
        expect(countEnded(piecemeal.ended)).toBe(sum(batchEnds));
        expect(countFailed(piecemeal.ended)).toBe(sum(batchEnds, ['FAILED', 'CANCELLED', 'EXPIRED']));
      }),
    );
  });

  it('ends when no member is open and none may be added, and not before', () => {
    fc.assert(
      fc.property(reported, policy, fc.nat(3), fc.boolean(), (batchEnds, by, open, isSealed) => {
        const batch = apply(batchEnds, by);
        const mayEnd = open === 0 && (isSealed || batch.stopReason !== 'NO');
        expect(endOf(batch, by, sum(batchEnds) + open, isSealed) !== undefined).toBe(mayEnd);
      }),
    );
  });

  it('ends as its failure policy says', () => {
    fc.assert(
      fc.property(reported, policy, (batchEnds, by) => {
        const batch = apply(batchEnds, by);
        const allowed = by === 'ANY' ? Number.POSITIVE_INFINITY : by === 'NONE' ? 0 : by;
        const failed = countFailed(batch.ended);
        expect(endOf(batch, by, sum(batchEnds), true)).toBe(failed > allowed ? 'FAILED' : 'SUCCEEDED');
        expect(batch.stopReason).toBe(typeof by === 'number' && failed > by ? 'FAILED' : 'NO');
      }),
    );
  });

  it('ends cancelled after a cancel, whatever comes before or after', () => {
    const cancel: BatchEnds = { ends: [], isCancelled: true };
    fc.assert(
      fc.property(reported, reported, policy, (before, after, by) => {
        const batch = apply([...before, cancel, ...after], by);
        const members = sum(before) + sum(after);
        expect(endOf(batch, by, members, false)).toBe('CANCELLED');
        const outcome = outcomeOf('CANCELLED', members, batch, 'enough');
        expect(outcome).toMatchObject({
          state: 'CANCELLED',
          failure: { message: 'enough', failureCause: 'CANCELLED' },
        });
      }),
    );
  });
});

describe('the rate of ends in a batch', () => {
  it('is that of the last minute, and keeps at most thirteen spans', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 300 }), (perSecond, seconds) => {
        let rate = noEnds;
        for (let second = 0; second < seconds; second++) rate = withEnds(rate, perSecond, NOW + second * 1_000_000);
        expect(rate.length).toBeLessThanOrEqual(13);
        const now = rateOf(rate, NOW + seconds * 1_000_000);
        // The first span counts from its start, before which no member ended.
        if (seconds >= 10) expect(now).toBeGreaterThan(perSecond / 2);
        expect(now).toBeLessThanOrEqual(perSecond * 1.2);
      }),
    );
  });

  it('is zero a minute later, and then there is no estimate', () => {
    const rate = withEnds(noEnds, 100, NOW);
    expect(rateOf(rate, NOW + 70_000_000)).toBe(0);
    expect(estimatedEndUs(rate, 100, NOW + 70_000_000)).toBeUndefined();
    expect(estimatedEndUs(rate, 200, NOW + 5_000_000)).toBe(NOW + 5_000_000 + 10_000_000);
  });

  it('survives a clock that is set back', () => {
    const rate = withEnds(withEnds(noEnds, 1, NOW), 2, NOW - 10_000_000);
    expect(rate).toEqual([[NOW / 5_000_000, 3]]);
  });
});
