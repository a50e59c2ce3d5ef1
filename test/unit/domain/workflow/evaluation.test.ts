/** Evaluations of one expression with many values, which are bytes before and after. */
import { expect, it } from 'vitest';
import {
  type Evaluation,
  evaluateAll,
  type OwnValues,
} from '../../../../server/domain/workflows/expressions/evaluation.ts';

const bytes = (text: string, contentType = 'application/json') => ({
  data: new TextEncoder().encode(text),
  contentType,
});
const input = { payload: 0, what: "the workflow's input" };

function evaluated(text: string, payload: ReturnType<typeof bytes>, changes: Partial<Evaluation> = {}) {
  const shared = { input, jobId: 'job', labels: {}, steps: {} };
  const rest = { own: [{}], asItems: false, maxSteps: 1_000_000, maxLength: 1_000_000, ...changes };
  return evaluateAll({ text, payloads: [payload], shared, ...rest });
}

const own = (count: number): OwnValues[] => Array.from({ length: count }, (_, i) => ({ item: String(i), index: i }));

it('an evaluation leaves out what would exceed its steps or its length, but never all of it', () => {
  const one = evaluated('item * 2', bytes('null'), { own: own(1) });
  expect(one.results).toEqual([{ value: '0' }]);
  const upTo = (maxSteps: number) => evaluated('item * 2', bytes('null'), { own: own(5), maxSteps });
  expect(upTo(5 * one.steps).results.map((result) => 'value' in result && result.value)).toEqual([
    '0',
    '2',
    '4',
    '6',
    '8',
  ]);
  expect(upTo(2 * one.steps).results.length).toBe(2);
  expect(upTo(2 * one.steps + 1).results.length).toBe(3);
  expect(upTo(-1).results.length).toBe(1);
  const ofLength = (maxLength: number) => evaluated('item', bytes('null'), { own: own(5), maxLength }).results.length;
  expect([0, 1, 2, 3].map(ofLength)).toEqual([1, 1, 2, 3]);
});

it.each([
  [bytes('{"a"'), "the workflow's input is no JSON"],
  [bytes('{}', 'text/plain'), "the workflow's input is text/plain, not JSON"],
])('a payload that can not be read is a problem of each: %#', (payload, problem) => {
  const result = { problem, isCost: false };
  expect(evaluated('workflow.input', payload, { own: own(2) })).toEqual({ results: [result, result], steps: 0 });
});

it('a list is given as its items if they are wanted, and anything else as it is', () => {
  const items = (text: string) => evaluated(text, bytes('[1, {"a": "b"}]'), { asItems: true }).results[0];
  expect(items('workflow.input')).toEqual({ items: ['1', '{"a":"b"}'] });
  expect(items('{"a": workflow.input}')).toEqual({ value: '{"a":[1,{"a":"b"}]}' });
});

it('an evaluation beyond the budget has the cost as its problem', () => {
  const text = Array.from({ length: 100 }, () => 'size(workflow.input) == 1').join(' || ');
  const { results } = evaluated(text, bytes(JSON.stringify('a'.repeat(400_000))));
  expect(results).toEqual([{ problem: expect.stringMatching(/^it costs more than/), isCost: true }]);
});
