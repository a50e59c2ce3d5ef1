/** What expressions may cost, and what a person reads who exceeds it. */
import { describe, expect, it } from 'vitest';
import { Meter, WORKFLOW_BUDGET } from '../../../server/domain/base/cel-cost.ts';
import { patternSize } from '../../../server/domain/base/pattern-size.ts';
import { compileKey } from '../../../server/domain/definitions/key-expression.ts';
import { compileLabels } from '../../../server/domain/dispatch/label-expression.ts';
import { compileExpression } from '../../../server/domain/workflows/expressions/expressions.ts';

const text = 'a'.repeat(480_000);
const list = Array.from({ length: 60_000 }, (_, i) => i);
const map = Object.fromEntries(list.map((i) => [`k${i}`, i]));
const input = {
  text,
  list,
  map,
  same: structuredClone(map),
  objects: list.map((n) => ({ n })),
  digits: '9'.repeat(90_000),
};

function joined(part: string, by: string): string {
  return Array.from({ length: Math.floor(4_000 / (part.length + by.length)) }, () => part).join(by);
}

function evaluated(expression: string) {
  const compiled = compileExpression(expression, ['workflow']);
  if ('problem' in compiled) throw new Error(compiled.problem);
  const meter = new Meter(WORKFLOW_BUDGET);
  const found = compiled.evaluate({ workflow: { input, job_id: '', labels: {} }, steps: {} }, meter);
  return { found, steps: meter.steps };
}

const tooManySteps = 'it costs more than 1000000 steps: let it compare or search less, or do this in a job';
const tooManyBytes = 'it makes more than 32 MiB of texts and lists: let it combine less, or do this in a job';

describe('an expression beyond its budget', () => {
  it.each<[string, string]>([
    ['sizes of a text', joined('size(workflow.input.text) == 1', ' || ')],
    ['comparisons of texts', joined('workflow.input.text + "a" == workflow.input.text + "b"', ' || ')],
    ['comparisons of maps', joined('(workflow.input.map == workflow.input.same && false)', ' || ')],
    ['comparisons of lists', joined('(workflow.input.list == workflow.input.list + [] && false)', ' || ')],
    ['searches in a list', joined('-1 in workflow.input.list', ' || ')],
    ['searches in a text', 'workflow.input.text.contains(workflow.input.text + "b")'],
    ['a regular expression over a long text', 'workflow.input.text.matches("(a|b)*a(a|b){9}[bc]$")'],
    ['a regular expression from the input', 'size(workflow.input.text) < 0 || "a".matches(workflow.input.text)'],
    ['sizes of a map', joined('size(workflow.input.map) == 1', ' || ')],
    ['lists of a list', `size(${joined('workflow.input.list', ' + ')})`],
    ['numbers of many digits', joined('int(workflow.input.digits) == 1', ' || ')],
    ['a result of many parts', `[${joined('workflow.input.list', ',')}]`],
  ])('has too many steps: %s', (_what, expression) => {
    expect(evaluated(expression).found).toEqual({ problem: tooManySteps });
  });

  it('makes too much text, which is counted before it is made', () => {
    const expression = `size(${Array.from({ length: 200 }, () => 'workflow.input.text').join('+')}) > 1`;
    expect(evaluated(expression).found).toEqual({ problem: tooManyBytes });
  });

  it('fails also where an error within it would be ignored', () => {
    expect(evaluated(`${joined('size(workflow.input.map) == 1', ' || ')} || true`).found).toEqual({
      problem: tooManySteps,
    });
  });
});

it('an expression that passes a large value unchanged is cheap', () => {
  const { found, steps } = evaluated('{"all": workflow.input.objects, "one": workflow.input.objects[9].n}');
  expect(found).toEqual({ value: { all: input.objects, one: 9 } });
  expect(steps).toBeLessThan(200_000);
});

it('a regular expression that can never be within the budget is refused when it is applied', () => {
  const problem = 'has a regular expression that costs more than 50000 steps: (a{30}){30}';
  expect(compileKey('input.a.matches("(a{30}){30}") ? "a" : "b"')).toEqual({ problem });
  expect(compileLabels('labels.a.matches("(a{30}){30}")')).toEqual({ problem });
  expect(compileExpression('workflow.input.matches("[\\\\pL\\\\pN]{900}")', ['workflow'])).toEqual({
    problem: 'has a regular expression that costs more than 1000000 steps: [\\pL\\pN]{900}',
  });
});

it('a key that would cost more than a call may is refused', () => {
  const compiled = compileKey('input.text.contains("b") ? "b" : string(size(input.text))');
  if ('problem' in compiled) throw new Error(compiled.problem);
  expect(compiled.keyOf({ text: 'a'.repeat(900) }, {})).toEqual({ key: '900' });
  expect(compiled.keyOf({ text: `${text}${text}` }, {})).toEqual({
    problem: 'it costs more than 50000 steps: let it compare or search less, or do this in a job',
  });
});

it('a label expression that would cost more than a call may is not true', () => {
  const compiled = compileLabels('labels.a.matches("^(a|aa){20}b?$")');
  if ('problem' in compiled) throw new Error(compiled.problem);
  expect(compiled.isTrueOf({ a: 'a'.repeat(30) })).toBe(true);
  expect(compiled.isTrueOf({ a: 'a'.repeat(3_000) })).toBe(false);
});

it.each([
  ['', 0],
  ['^[0-9a-f]{8}-[0-9a-f]{4}$', 39],
  ['(a{10}){10}', 130],
  ['[]{9}]', 3],
  ['[^]{9}]', 3],
  ['[[:alpha:]{9}]', 5],
  ['\\x{41}\\{9}', 4],
  ['\\p{Lu}{10}', 3_010],
  ['\\Q(\\E', 5_000],
  ['a{40}(?i){9}', 360],
  ['a{9}(?i)*(?s){40}', 400],
])('the pattern %s has a program of about %i instructions', (pattern, size) => {
  expect(patternSize(pattern)).toBe(size);
});
