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
])('the text of indexes %s is read', (text, spans, count) => {
  const found = parseIndexes(text);
  expect(found).toEqual(spans);
  expect(countIn(found as never)).toBe(count);
});

it.each([
  ['', /must be indexes/],
  ['a', /must be indexes/],
  ['1,', /must be indexes/],
  [' 1', /must be indexes/],
  ['-1', /must be indexes/],
  ['1.5', /must be indexes/],
  ['1e3', /must be indexes/],
  ['5-3', /5-3 out of order/],
  ['3,3', /3 out of order/],
  ['1-5,4', /4 out of order/],
  ['100000', /the highest index is 99999/],
  ['0-1000000', /must be indexes/],
  ['0,'.repeat(3_000), /longer than 4096/],
])('the text of indexes %s is refused', (text, problem) => {
  expect(parseIndexes(text)).toEqual({ problem: expect.stringMatching(problem) });
});
