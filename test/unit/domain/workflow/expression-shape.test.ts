/** The check of types reuses, once, the expressions that the check of the body has parsed. */
import { expect, it } from 'vitest';
import { readExpression, takeExpressions } from '../../../../server/domain/workflows/expressions/expression-shape.ts';
import { problemsOf, step, workflow } from './made-workflow.ts';

it('parsed expressions can be taken once, and are not kept', () => {
  const made = workflow([
    step('a', [], { input: '{"n": 1}' }),
    step('b', [], { input: '{"n": 1}', condition: 'true' }),
  ]);
  expect(problemsOf(made)).toEqual([]);
  const taken = takeExpressions(made);
  expect([...taken.keys()]).toEqual(['{"n": 1}', 'true']);
  expect(readExpression('true', taken)).toBe(taken.get('true'));
  expect(takeExpressions(made).size).toBe(0);
});

it('the shape of a nested expression is known to a depth of one hundred', () => {
  const deep = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  const read = readExpression(deep(105), new Map());
  let shape = 'shape' in read ? read.shape : undefined;
  let depth = 0;
  for (; shape?.kind === 'LIST'; depth++) shape = shape.items[0];
  expect([depth, shape]).toEqual([101, { kind: 'OTHER', types: undefined }]);
});
