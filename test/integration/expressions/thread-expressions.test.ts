/** The thread that evaluates expressions: it answers as an evaluation in place, and no evaluation stops the others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Evaluation, evaluateAll } from '../../../server/domain/workflows/expressions/evaluation.ts';
import { ThreadExpressions, type ThreadOptions } from '../../../server/expressions/thread-expressions.ts';

const open: ThreadExpressions[] = [];
const warnings: string[] = [];
const log = { info: () => {}, warn: (_: object, message: string) => void warnings.push(message), error: () => {} };

function started(options?: ThreadOptions): ThreadExpressions {
  const expressions = new ThreadExpressions(log, options);
  open.push(expressions);
  return expressions;
}

afterEach(async () => {
  warnings.length = 0;
  for (const expressions of open.splice(0)) await expressions.stop();
});

function evaluation(text: string, changes: Partial<Evaluation> = {}): Evaluation {
  const shared = { input: undefined, jobId: 'job', labels: { a: 'b' }, steps: {} };
  return {
    text,
    payloads: [],
    shared,
    own: [{}],
    asItems: false,
    maxSteps: 1_000_000,
    maxLength: 1_000_000,
    ...changes,
  };
}

const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });

describe('expressions in the thread', () => {
  it('have the answers of an evaluation in place, whatever the values', async () => {
    const expressions = started();
    const texts = [
      'workflow.input',
      'steps.a.output',
      '[item, steps.b.output, output]',
      'workflow.input.x',
      'previous',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.jsonValue(),
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.boolean(),
        async (text, input, list, asItems) => {
          const payloads = [json(input), ...list.map(json), { data: Buffer.from('x'), contentType: 'text/plain' }];
          const items = list.map((_, i) => i);
          const a = { payload: 0, what: 'the output of step "a"' };
          const b = { size: list.length + 1, step: 'b', items, payloads: items.map((i) => i + 1) };
          const steps = { a: { output: a, state: 'SUCCEEDED' }, b: { output: b, state: 'SUCCEEDED' } };
          const shared = { input: { payload: 0, what: "the workflow's input" }, jobId: 'job', labels: {}, steps };
          const own = [
            {},
            { item: JSON.stringify(list), index: 1, output: a },
            { previous: { payload: payloads.length - 1, what: 'it' } },
          ];
          const asked = evaluation(text, { payloads, shared, own, asItems });
          expect(await expressions.evaluate(asked)).toEqual(evaluateAll(asked));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are answered each, in any number at once', async () => {
    const expressions = started();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => expressions.evaluate(evaluation(`${i} + 1`))),
    );
    expect(answers.map(({ results }) => results[0])).toEqual(answers.map((_, i) => ({ value: String(i + 1) })));
  });
});

describe('a thread', () => {
  const file = new URL('./failing-thread.ts', import.meta.url);
  const givenUp = {
    problem: expect.stringMatching(/^it took longer than 300 ms to evaluate, or too much memory, 3 times$/),
    isCost: true,
  };

  it.each(['hang', 'exit', 'use up the memory'])(
    'is replaced three times for evaluations that %s',
    async (fault) => {
      const expressions = started({ file, maxMs: 300 });
      const answers = ['first', fault, 'last'].map((text) => expressions.evaluate(evaluation(text, { own: [{}, {}] })));
      const [first, failing, last] = await Promise.all(answers);
      expect(first?.results).toEqual([{ value: 'first' }, { value: 'first' }]);
      expect(failing).toEqual({ results: [givenUp, givenUp], steps: 0 });
      expect(last?.results).toEqual([{ value: 'last' }, { value: 'last' }]);
      expect(warnings).toEqual(Array(3).fill('replaces the thread that evaluates expressions'));
      expect((await expressions.evaluate(evaluation('next'))).results).toEqual([{ value: 'next' }]);
    },
    60_000,
  );

  it.each(['hang', 'exit'])('that had to %s once is forgiven', async (fault) => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-'));
    const text = `${fault} once ${join(folder, 'mark')}`;
    try {
      const expressions = started({ file, maxMs: 300 });
      expect((await expressions.evaluate(evaluation(text))).results).toEqual([{ value: text }]);
      expect(warnings.length).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that has a bug gives an error', async () => {
    await expect(started({ file }).evaluate(evaluation('throw'))).rejects.toThrow('thrown');
  });

  it('is ended when the replica stops: open and later evaluations are refused', async () => {
    const expressions = started({ file });
    const hanging = expressions.evaluate(evaluation('hang'));
    const refused = expect(hanging).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
    await expressions.stop();
    await refused;
    await expect(expressions.evaluate(evaluation('later'))).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });
});
