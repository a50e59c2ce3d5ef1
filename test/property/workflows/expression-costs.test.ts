/** The cost of expressions: it depends on nothing but the expression and its values, and it bounds their work. */
import { RE2JS } from '@bufbuild/re2';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Meter } from '../../../server/domain/base/cel-cost.ts';
import { patternSize } from '../../../server/domain/base/pattern-size.ts';
import { compileExpression } from '../../../server/domain/workflows/expressions/expressions.ts';

const { expression } = fc.letrec<{ expression: string; texts: string; lists: string; truths: string }>((tie) => ({
  texts: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('workflow.input.s', '"a"', 'item'),
    fc.tuple(tie('texts'), tie('texts')).map(([a, b]) => `(${a} + ${b})`),
    tie('lists').map((list) => `string(size(${list}))`),
    fc.tuple(tie('truths'), tie('texts'), tie('texts')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
  ),
  lists: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('workflow.input.l', '[]', '[1, "a"]'),
    fc.tuple(tie('lists'), tie('lists')).map(([a, b]) => `(${a} + ${b})`),
    fc.tuple(tie('texts'), tie('lists')).map(([a, b]) => `[${a}, ${b}]`),
  ),
  truths: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(tie('lists'), fc.constantFrom('==', '!='), tie('lists')).map((parts) => `(${parts.join(' ')})`),
    fc.tuple(tie('texts'), fc.constantFrom('<', 'in', '=='), tie('lists')).map((parts) => `(${parts.join(' ')})`),
    fc.tuple(tie('texts'), tie('texts')).map(([a, b]) => `${a}.contains(${b})`),
    tie('texts').map((a) => `${a}.matches("^(a|b)*c{1,9}$")`),
    fc.tuple(tie('truths'), fc.constantFrom('&&', '||'), tie('truths')).map((parts) => `(${parts.join(' ')})`),
  ),
  expression: fc.oneof(tie('texts'), tie('lists'), tie('truths')),
}));

const budget = fc.record({ steps: fc.integer({ min: 1, max: 3_000 }), bytes: fc.integer({ min: 1, max: 20_000 }) });

it('the cost is the same each time, ends the evaluation where the budget ends, and only there', () => {
  fc.assert(
    fc.property(
      expression,
      fc.string({ maxLength: 300 }),
      fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 40 }),
      budget,
      (text, s, l, bounds) => {
        const compiled = compileExpression(text, ['workflow', 'item']);
        if ('problem' in compiled) return;
        const values = { workflow: { input: { s, l }, job_id: '', labels: {} }, steps: {}, item: s };
        const free = new Meter({ steps: 1e12, bytes: 1e12 });
        const found = compiled.evaluate(values, free);
        const again = new Meter(bounds);
        const bounded = compiled.evaluate(structuredClone(values), again);
        if (again.problem !== undefined) expect(bounded).toEqual({ problem: again.problem });
        else expect([bounded, again.steps]).toEqual([found, free.steps]);
        expect(again.problem !== undefined).toBe(free.steps > bounds.steps || free.bytes > bounds.bytes);
        if ('value' in bounded)
          expect(JSON.stringify(bounded.value).length).toBeLessThan(64 * (free.steps + text.length));
      },
    ),
    { numRuns: 1_000 },
  );
});

it('the size of a pattern is never less than a third of the instructions of its program', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'a',
      '.',
      '[a-z]',
      '[]a]',
      '[^]{9}]',
      '[[:alpha:]{9}]',
      '[[:a]',
      '\\d',
      '\\pL',
      '\\p{Lu}',
      '\\x{41}',
    ),
    fc.constantFrom(
      '(',
      '(?:',
      '(?i)',
      ')',
      ')',
      '|',
      '*',
      '+?',
      '{2}',
      '{3,40}',
      '{9,}',
      '^',
      '$',
      '\\Q(\\E',
      '\\{',
      '[',
      ']',
    ),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      (pattern) => {
        let program: { readonly numInst: () => number };
        try {
          program = (RE2JS.compile(pattern) as unknown as { re2Input: { prog: typeof program } }).re2Input.prog;
        } catch {
          return;
        }
        expect(program.numInst()).toBeLessThanOrEqual(3 * (patternSize(pattern) + 2));
      },
    ),
    { numRuns: 3_000 },
  );
});
