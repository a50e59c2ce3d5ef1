/** A loop goes on while it must and may. */
import { expect, it } from 'vitest';
import { decideLoop } from '../../../../server/domain/workflows/loop.ts';

const loop = { while: 'output.more', maxIterations: 3 };

it.each([
  [0, true, 'AGAIN'],
  [1, true, 'AGAIN'],
  [2, true, 'EXHAUSTED'],
  [0, false, 'DONE'],
  [2, false, 'DONE'],
] as const)('after pass %i, with a condition of %s: %s', (iteration, holds, expected) => {
  expect(decideLoop(loop, iteration, holds)).toBe(expected);
});

it('of one pass never goes on', () => {
  expect(decideLoop({ ...loop, maxIterations: 1 }, 0, true)).toBe('EXHAUSTED');
});
