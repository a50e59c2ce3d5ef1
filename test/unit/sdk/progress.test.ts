/** Progress of handlers is brought within the limits of the contract. */
import { describe, expect, test } from 'vitest';
import { progressMessage, reportedProgress } from '../../../sdk/typescript/src/worker/progress.ts';

const MAX_COUNT = Number.MAX_SAFE_INTEGER;

describe('progress of a handler', () => {
  test.each([
    [0.5, 'half', { fraction: 0.5, message: 'half' }],
    [2, 'x'.repeat(300), { fraction: 1, message: 'x'.repeat(256) }],
    [-1, '', { fraction: 0, message: '' }],
    ['0.5' as never, '', { fraction: 0.5, message: '' }],
    [Number.NaN, 'a\ud800', { fraction: 0, message: 'a\ufffd' }],
  ])('as the fraction %j', (progress, message, reported) => {
    expect(reportedProgress(progress, message)).toEqual(reported);
  });

  test.each([
    [{ done: 3, total: 4, unit: 'rows' }, 0.75, { done: 3, total: 4, unit: 'rows' }],
    [{ done: 3 }, 0, { done: 3, total: undefined, unit: '' }],
    [{ done: 0, total: 0 }, 1, { done: 0, total: 0, unit: '' }],
    [{ done: 9, total: 4 }, 1, { done: 9, total: 4, unit: '' }],
    [{ done: 1.9, total: -1 }, 0, { done: 1, total: undefined, unit: '' }],
    [{ total: 5 } as never, 0, { done: 0, total: 5, unit: '' }],
    [{ done: '3', total: 'x' } as never, 0, { done: 3, total: undefined, unit: '' }],
    [{ done: Number.NaN, total: 5 }, 0, { done: 0, total: 5, unit: '' }],
    [
      { done: Infinity, total: Infinity, unit: 'u'.repeat(40) },
      1,
      { done: MAX_COUNT, total: MAX_COUNT, unit: 'u'.repeat(32) },
    ],
  ])('as the counts %j', (progress, fraction, counts) => {
    expect(reportedProgress(progress, 'm')).toEqual({ fraction, message: 'm', counts });
  });

  test('is sent without what it does not have', () => {
    expect(progressMessage({ fraction: 0.5, message: '' })).toEqual({
      $typeName: 'muster.v1.Progress',
      ...{ fraction: 0.5, message: '', unit: '' },
    });
    const counts = { done: 3, total: 4, unit: 'rows' };
    expect(progressMessage({ fraction: 0.75, message: '', counts })).toMatchObject({
      done: 3n,
      total: 4n,
      unit: 'rows',
    });
    expect(progressMessage({ fraction: 0, message: '', counts: { ...counts, total: undefined } })).not.toHaveProperty(
      'total',
    );
  });
});
