/** Properties of a batch that retries another one, for any pages. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterEnds, type BatchProgress, endOf, newBatch, outcomeOf } from '../../../server/domain/batches/batch.ts';
import { afterPage, leftOf, newRetry, settled, sumOf } from '../../../server/domain/batches/batch-retry.ts';

const counts = fc.dictionary(fc.constantFrom('JOB_ERASED', 'DEFINITION_ARCHIVED', 'QUEUE_FULL'), fc.nat(5));
const pages = fc.array(
  fc.record({ made: fc.nat(5), duplicates: fc.nat(3), retriedBeforeCount: fc.nat(5), skippedByReason: counts }),
  { maxLength: 10 },
);

it('a batch retry makes each failed member anew, skips it, or counts it with a reason, and touches no other member', () => {
  fc.assert(
    fc.property(pages, fc.integer({ min: 0, max: 20 }), (all, gone) => {
      const found = all.reduce(
        (sum, p) => sum + p.made + p.duplicates + p.retriedBeforeCount + sumOf(p.skippedByReason),
        0,
      );
      let retry = newRetry('0198c0de-0000-7000-8000-000000000009', 1_000, found + gone);
      let made = 0;
      for (const { made: more, duplicates, retriedBeforeCount, skippedByReason } of all) {
        const page = { fromItem: retry.nextItem, nextItem: retry.nextItem + 10, retriedBeforeCount, skippedByReason };
        const before = leftOf(retry, made);
        retry = afterPage(retry, page, duplicates);
        made += more;
        expect(leftOf(retry, made)).toBe(before - more - duplicates - retriedBeforeCount - sumOf(skippedByReason));
      }
      expect(retry.nextItem).toBe(all.length * 10);
      expect(retry.skippedByReason.DUPLICATE_JOB ?? 0).toBe(all.reduce((sum, p) => sum + p.duplicates, 0));
      expect(leftOf(retry, made)).toBe(gone);
      const end = settled(retry, made);
      expect(leftOf(end, made)).toBe(0);
      expect(end.skippedByReason.JOB_NOT_FOUND).toBe(gone > 0 ? gone : undefined);
      expect(settled(end, made)).toEqual(end);
    }),
  );
});

it('a member that could not be retried counts as failed', () => {
  const policy = fc.oneof(fc.constantFrom('NONE' as const, 'ANY' as const), fc.nat(10));
  fc.assert(
    fc.property(fc.nat(6), fc.nat(6), fc.nat(6), policy, (succeeded, failed, skippedByReason, by) => {
      const batch = (notMade: number, jobs: number): BatchProgress => {
        const ends = [
          { state: 'SUCCEEDED', jobs: succeeded },
          { state: 'FAILED', jobs },
        ] as const;
        return afterEnds({ ...newBatch, skippedByReason: notMade }, by, { ends, isCancelled: false }, 0);
      };
      const retry = batch(skippedByReason, failed);
      const plain = batch(0, failed + skippedByReason);
      expect(retry.stopReason).toBe(plain.stopReason);
      const state = endOf(retry, by, succeeded + failed, true);
      expect(state).toBe(endOf(plain, by, succeeded + failed + skippedByReason, true));
      const outcome = outcomeOf(state ?? 'CANCELLED', succeeded + failed, retry, undefined);
      const said = 'failure' in outcome ? outcome.failure.message : new TextDecoder().decode(outcome.result.data);
      expect(said.includes(`and ${skippedByReason} could not be retried`)).toBe(
        state === 'FAILED' && skippedByReason > 0,
      );
      if (state === 'SUCCEEDED') expect(JSON.parse(said)).toMatchObject({ failed, skipped_by_reason: skippedByReason });
    }),
  );
});
