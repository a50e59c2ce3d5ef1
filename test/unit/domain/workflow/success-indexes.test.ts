/** The syntax of item indexes. */
import { expect, it } from 'vitest';
import { countIn, parseIndexes } from '../../../../server/domain/workflows/success-indexes.ts';

it.each([
  ['0', [[0, 0]], 1],
  [
    '0,3-5',
    [
      [0, 0],
      [3, 5],
    ],
    4,
  ],
  [
    '2-2,3,99999',
    [
      [2, 2],
      [3, 3],
      [99_999, 99_999],
    ],
    3,
  ],
])('the text of indexes: %s', (text, spans, count) => {
  const found = parseIndexes(text);
  expect(found).toEqual(spans);
  expect(countIn(found as never)).toBe(count);
});

it.each([
  ['', /must be places/],
  ['a', /must be places/],
  ['1,', /must be places/],
  [' 1', /must be places/],
  ['-1', /must be places/],
  ['1.5', /must be places/],
  ['1e3', /must be places/],
  ['5-3', /5-3 out of order/],
  ['3,3', /3 out of order/],
  ['1-5,4', /4 out of order/],
  ['100000', /the last place that there can be is 99999/],
  ['0-1000000', /must be places/],
  ['0,'.repeat(3_000), /longer than 4096/],
])('the text of indexes %s is refused', (text, problem) => {
  expect(parseIndexes(text)).toEqual({ problem: expect.stringMatching(problem) });
});
