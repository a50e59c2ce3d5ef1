/** The end that is estimated from the units that a handler counts. */
import { describe, expect, it } from 'vitest';
import { estimatedEndUs, fractionOf, type StoredCounts } from '../../../../server/domain/jobs/progress.ts';

const SECOND = 1_000_000;
const counts = (changes: Partial<StoredCounts> = {}): StoredCounts => ({
  ...{ done: 300, total: 1_000, unit: 'rows', timeUs: 50 * SECOND, first: { done: 100, timeUs: 30 * SECOND } },
  ...changes,
});

describe('the estimated end of a handler that counts', () => {
  it('is when the rest is done at the pace since the first count', () => {
    // 200 rows in 20 s, and 700 to go.
    expect(estimatedEndUs(counts())).toBe(120 * SECOND);
  });

  it.each([
    ['an unknown total', { total: undefined }],
    ['all that is done', { done: 1_000 }],
    ['more done than the total', { done: 1_001 }],
    ['no unit done since the first count', { done: 100 }],
    ['one count', { timeUs: 30 * SECOND }],
    ['more than ten years to go', { total: Number.MAX_SAFE_INTEGER }],
    ['a clock that went back', { timeUs: 29 * SECOND }],
  ])('is not known for %s', (_what, changes) => {
    expect(estimatedEndUs(counts(changes))).toBeUndefined();
  });
});

describe('the fraction of counted units', () => {
  it.each([
    [3, 4, 0.75],
    [0, 4, 0],
    [5, 4, 1],
    [0, 0, 1],
    [3, undefined, undefined],
  ])('of %j of %j is %j', (done, total, fraction) => {
    expect(fractionOf({ done, total })).toBe(fraction);
  });
});
