import { describe, expect, it } from 'vitest';
import { parseCel } from '../../../server/domain/base/cel.ts';
import { CALL_BUDGET } from '../../../server/domain/base/cel-cost.ts';

const problemOf = (text: string) => {
  const parsed = parseCel(text, ['input'], CALL_BUDGET);
  return 'problem' in parsed ? parsed.problem : undefined;
};
const around = (open: string, close: string) => (n: number) => `${open.repeat(n)}1${close.repeat(n)}`;
const brackets = {
  parentheses: around('(', ')'),
  lists: around('[', ']'),
  maps: around('{1:', '}'),
  calls: around('f(', ')'),
};
const operators = { choices: (n: number) => `${'input?1:'.repeat(n)}1`, sums: (n: number) => `input${'+1'.repeat(n)}` };

describe('a parsed expression', () => {
  it.each(Object.entries(brackets))('has at most 128 nested %s', (_what, nested) => {
    expect(problemOf(nested(128))).toBeUndefined();
    expect(problemOf(nested(129))).toBe('has more than 128 brackets inside each other');
  });

  it.each(Object.entries(operators))('has at most 250 nested operators: %s', (_what, chain) => {
    expect(problemOf(chain(249))).toBeUndefined();
    expect(problemOf(chain(250))).toBe('has more than 250 operators inside each other');
  });

  it('may have any number of brackets in strings', () => {
    const many = '['.repeat(129);
    const texts = [`"${many}"`, `'${many}'`, `"""\n"${many}"""`, `r"${many}\\"`, `"\\"${many}"`];
    expect(texts.map(problemOf)).toEqual(texts.map(() => undefined));
  });

  it('counts nested brackets, not all', () => {
    expect(problemOf(`[${'(1),'.repeat(200)}1]`)).toBeUndefined();
  });
});
