/** Expressions of workflows: any text and any values lead to a JSON value or to a reason, and nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileExpression, type ExpressionValues } from '../../../server/domain/workflows/expressions/expressions.ts';

const names = ['workflow', 'steps', 'item', 'index'];
const json = fc.jsonValue({ maxDepth: 4 });

function valuesOf(input: unknown, output: unknown): ExpressionValues {
  return {
    workflow: { input, job_id: 'j', labels: { a: 'b' } },
    steps: { a: { output, state: 'SUCCEEDED' } },
    item: input,
    index: 0,
  };
}

function evaluated(text: string, values: ExpressionValues) {
  const found = compileExpression(text, names);
  if ('problem' in found) throw new Error(found.problem);
  return found.evaluate(values);
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return ['boolean', 'string'].includes(typeof value);
  const isPlain = value === null || Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Object.values(value ?? {}).every(isJson);
}

it('any text is compiled or refused, gives JSON or a reason, and never throws', () => {
  const words = ['workflow', 'input', 'steps', 'a', 'output', 'state', 'item', 'index', '.', '(', ')', '[', ']', '"x"'];
  const signs = ['+', '%', '?', ':', 'has', ',', '1', '2.5', ' ', '!', '==', '{', '}', 'size', 'b"x"', '&&', 'null'];
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...words, ...signs), { maxLength: 30 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(texts, json, json, (text, input, output) => {
      const found = compileExpression(text, names);
      if ('problem' in found) expect(found.problem).toMatch(/^(is|has|names|uses|calls) /);
      else {
        const result = found.evaluate(valuesOf(input, output));
        if ('problem' in result) expect(result.problem).toMatch(/\w/);
        else expect(isJson(result.value)).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('a path gives the value that it names unchanged, on each evaluation', () => {
  fc.assert(
    fc.property(json, json, (input, output) => {
      const values = valuesOf(input, output);
      for (const [text, value] of [
        ['workflow.input', input],
        ['steps.a.output', output],
        ['item', input],
      ] as const) {
        const first = evaluated(text, values);
        expect(first).toEqual({ value });
        expect(evaluated(text, values)).toEqual(first);
      }
      expect(evaluated('{"a": [workflow.input, {"b": steps.a.output}]}', values)).toEqual({
        value: { a: [input, { b: output }] },
      });
      expect(evaluated('workflow.input == item', values)).toEqual({ value: true });
    }),
  );
});

it('JSON numbers and integers can be combined in arithmetic', () => {
  const operations = { '+': (a: number, b: number) => a + b, '-': (a: number, b: number) => a - b } as const;
  const number = fc.integer({ min: -1_000, max: 1_000 });
  fc.assert(
    fc.property(number, number, fc.constantFrom('+', '-'), (n, m, sign) => {
      const values = valuesOf({ n, m }, null);
      const expected = { value: operations[sign](n, m) + 0 };
      for (const text of [`workflow.input.n ${sign} (${m})`, `(${n}) ${sign} workflow.input.m`, `${n} ${sign} (${m})`])
        expect(evaluated(text, values)).toEqual(expected);
      expect(evaluated(`(workflow.input.n < ${m}) == (${n} < workflow.input.m)`, values)).toEqual({ value: true });
      expect(evaluated(`workflow.input.n < ${m}`, values)).toEqual({ value: n < m });
    }),
  );
});
