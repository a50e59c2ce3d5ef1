/** Expressions of workflows: what they read, their values, and which are refused. */
import { describe, expect, it } from 'vitest';
import {
  compileExpression,
  type ExpressionValues,
  type WorkflowExpression,
} from '../../../../server/domain/workflows/expressions/expressions.ts';

const all = ['workflow', 'steps', 'item', 'index', 'iteration', 'previous', 'output'];
const input = { n: 3, half: 0.5, name: 'Ada', list: [1, 'two', null], nothing: null, constructor: 7, in: 'reserved' };
const values: ExpressionValues = {
  workflow: { input, job_id: '0198c0de-0000-7000-8000-000000000001', labels: { team: 'shop' } },
  steps: {
    charge: { output: { amount: 12.5, ok: true }, state: 'SUCCEEDED' },
    none: { output: undefined, state: 'SKIPPED' },
    nil: { output: null, state: 'SUCCEEDED' },
  },
  item: { sku: 'tea' },
  index: 1,
  iteration: 2,
  previous: null,
  output: { done: false },
};

function compiled(text: string, names: readonly string[] = all): WorkflowExpression {
  const found = compileExpression(text, names);
  if ('problem' in found) throw new Error(`${text} ${found.problem}`);
  return found;
}

describe('an expression', () => {
  it.each<[string, unknown]>([
    ['workflow.input', input],
    ['workflow.job_id', values.workflow.job_id],
    ['workflow.labels', { team: 'shop' }],
    ['steps.charge.output', { amount: 12.5, ok: true }],
    ['steps.charge.state == "SUCCEEDED" && steps.none.state == "SKIPPED"', true],
    ['has(steps.none.output)', false],
    ['has(steps.nil.output) ? 1 : 2', 2],
    ['steps.nil.output', null],
    [
      '{"to": workflow.input.name, "all": [item.sku, index, {"deep": workflow.input.list}]}',
      {
        to: 'Ada',
        all: ['tea', 1, { deep: [1, 'two', null] }],
      },
    ],
    ['workflow.input.constructor', 7],
    ['workflow.input["in"]', 'reserved'],
    ['output.done ? previous : iteration', 2],
    ['workflow.input', input],
  ])('evaluates: %s', (text, value) => {
    expect(compiled(text).evaluate(values)).toEqual({ value });
  });

  it.each<[string, unknown]>([
    ['workflow.input.n + 1', 4],
    ['1 + workflow.input.n', 4],
    ['workflow.input.n - 1 == 2', true],
    ['workflow.input.n * 2', 6],
    ['workflow.input.n / 2', 1.5],
    ['7 / workflow.input.n > 2', true],
    ['workflow.input.n % 2', 1],
    ['workflow.input.n % workflow.input.n', 0],
    ['workflow.input.half + workflow.input.n', 3.5],
    ['workflow.input.n > 2 && 2 < workflow.input.n && workflow.input.n == 3', true],
    ['index + 1', 2],
    ['index / 2', 0],
    ['iteration % 2 == 0', true],
    ['workflow.input.list[index]', 'two'],
    ['workflow.input.list[workflow.input.n - 3]', 1],
    ['"item-" + string(index) + "/" + string(workflow.input.n)', 'item-1/3'],
    ['size(workflow.input.list) + workflow.input.n', 6],
    ['int(workflow.input.n) / 2', 1],
    ['workflow.input.n in [1, 2, 3]', true],
  ])('calculates with numbers of JSON: %s', (text, value) => {
    expect(compiled(text).evaluate(values)).toEqual({ value });
  });
});

it('an expression knows which values it reads', () => {
  const { steps, usesInput } = compiled('{"a": has(steps.b.output.c), "d": [steps.e.state + steps.b.state]}');
  expect([[...steps].sort(), usesInput]).toEqual([['b', 'e'], false]);
  expect(compiled('workflow.input.list[steps.a.output]')).toMatchObject({ steps: new Set(['a']), usesInput: true });
  expect(compiled('has(workflow.input)').usesInput).toBe(true);
  expect(compiled('workflow.job_id').usesInput).toBe(false);
});

describe('an expression without a value gives the reason:', () => {
  it.each([
    ['workflow.input.missing', /field not found: missing/],
    ['workflow.input.missing.deeper', /missing/],
    ['steps.none.output', /output/],
    ['steps.absent.output', /./],
    ['workflow.input.name + 1', /no matching overload/],
    ['workflow.input.nothing + 1', /no matching overload/],
    ['workflow.input.list[9]', /out of bounds/],
    ['workflow.input.n ? 1 : 2', /no matching overload/],
    ['1 / 0', /divide by zero/],
    ['workflow.input.n / 0', /Infinity, which is not a JSON number/],
    ['workflow.input.n % 0', /NaN/],
    ['9007199254740993', /9007199254740993, which a JSON number can't hold/],
    ['b"abc"', /bytes/],
    ['[b"abc"]', /bytes/],
    ['{1: 2}', /the key 1/],
    ['duration("1s")', /a time, a span/],
    ['type(1)', /a type/],
  ])('%s', (text, problem) => {
    expect(compiled(text).evaluate(values)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('a value that is too large, before it is built', () => {
    const large = { ...values, workflow: { ...values.workflow, input: { text: 'x'.repeat(500_000) } } };
    const text = Array.from({ length: 100 }, () => 'workflow.input.text').join(',');
    expect(compiled(`[${text}]`).evaluate(large)).toEqual({ problem: 'its value is larger than 8 MiB' });
  });

  it('a value that is nested too deep', () => {
    const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    const of = (depth: number) => compiled('item').evaluate({ ...values, item: nested(depth) });
    expect(of(500)).toEqual({ value: nested(500) });
    expect(of(502)).toEqual({ problem: 'its value is nested more than 500 times' });
  });

  it.each(['[', '{"a":'])('a value with too many %s', (open) => {
    const deep = JSON.parse(`${open.repeat(40_000)}1${(open === '[' ? ']' : '}').repeat(40_000)}`);
    const found = compiled('workflow.input').evaluate({ ...values, workflow: { ...values.workflow, input: deep } });
    expect(found).toEqual({ problem: expect.stringMatching(/nested/) });
  });
});

describe('the parser refuses', () => {
  it.each([
    ['', /^is no expression of CEL/],
    ['workflow.', /^is no expression of CEL/],
    ['steps', /^uses steps other than/],
    ['workflow', /^uses workflow other than/],
    ['workflow.inptu', /^uses workflow other than as workflow.input, workflow.job_id, workflow.labels/],
    ['workflow["input"]', /^uses workflow other than/],
    ['steps["charge"].output', /^uses steps other than/],
    ['steps[workflow.input.step].output', /^uses steps other than/],
    ['steps.charge', /^uses steps other than .*after steps.charge/],
    ['has(steps.charge)', /^uses steps other than/],
    ['steps.charge.result', /^uses steps other than/],
    ['{"a": [1 + size(steps)]}', /^uses steps other than/],
    ['steps.a.output.exists(x, x == 1)', /^has a macro over a list/],
    ['[1].map(x, x)', /^has a macro over a list/],
    ['input.a', /^names input; there is|^names input; there are/],
    ['workflow.input.charAt(0)', /^calls charAt, which is not a CEL function/],
    ['[now()]', /^calls now, which is not a CEL function/],
    ['steps.in.output', /^is no expression of CEL: .*reserved/],
    [`${'('.repeat(4_000)}1`, /^has more than 128 brackets inside each other/],
    [`${'('.repeat(100)}1`, /^is no expression of CEL/],
    [`${'['.repeat(2_000)}${']'.repeat(2_000)}`, /^has more than 128 brackets inside each other/],
    ['1'.repeat(4_097), /^is longer than 4096/],
  ])('%s', (text, problem) => {
    expect(compileExpression(text, all)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('a variable that exists elsewhere', () => {
    expect(compileExpression('item.sku', ['workflow', 'steps'])).toEqual({
      problem: 'names item; there are workflow and steps',
    });
  });
});

it('an expression reaches nothing beyond its values', () => {
  for (const text of [
    'workflow.input.__proto__',
    'workflow.input.toString',
    'workflow.labels.constructor',
    'item.valueOf',
  ])
    expect(compiled(text).evaluate(values)).toEqual({ problem: expect.stringMatching(/not found/) });
  expect(compiled('{"__proto__": 1}').evaluate(values)).toEqual({ value: JSON.parse('{"__proto__":1}') });
});
