/** Whether a loop continues after a pass. */
import { expect, it } from 'vitest';
import { decideLoop } from '../../../../server/domain/workflows/loop.ts';

const loop = { repeatCondition: 'output.more', maxIterations: 3 };

it.each([
  [0, true, 'AGAIN'],
  [1, true, 'AGAIN'],
  [2, true, 'EXHAUSTED'],
  [0, false, 'DONE'],
  [2, false, 'DONE'],
] as const)('the decision on a loop after pass %i, with a condition of %s: %s', (iteration, holds, expected) => {
  expect(decideLoop(loop, iteration, holds)).toBe(expected);
});

it('a loop of one pass never continues', () => {
  expect(decideLoop({ ...loop, maxIterations: 1 }, 0, true)).toBe('EXHAUSTED');
});
