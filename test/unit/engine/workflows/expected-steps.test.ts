/** The steps that are read together with the lock of their workflow. */
import { expect, it } from 'vitest';
import { compileGraph } from '../../../../server/domain/workflows/graph.ts';
import { noneEnded } from '../../../../server/domain/workflows/trigger-rules.ts';
import type { StepKey, WrittenStep } from '../../../../server/engine/ports/workflows.ts';
import { ExpectedSteps, knownOf } from '../../../../server/engine/workflows/steps/expected-steps.ts';
import { Steps } from '../../../../server/engine/workflows/steps/steps.ts';
import { stepOf, workflowOf } from '../../../support/workflows/workflow-steps.ts';

const names = ['first', 'second', 'third'];
const chain = compileGraph(
  workflowOf(...names.map((name, n) => stepOf({ name, needs: n === 0 ? [] : [names[n - 1] as string] }))),
);

function row(step: number, state: WrittenStep['state'] = 'RUNNING', jobId = 'w'): WrittenStep {
  const none = { fanOut: undefined, reason: undefined, adoptedFrom: undefined, skipReason: undefined };
  const uncached = { cacheKey: undefined, cacheTimeUs: undefined, neededItems: undefined };
  return { jobId, step, state, counts: noneEnded, childId: 'child', iteration: 0, ...none, ...uncached };
}

const stepsOf = (expected: ExpectedSteps, jobId = 'w') => expected.of([jobId]).map(({ step }) => step);

it('expected steps are the running ones and their successors, until others begin', () => {
  const expected = new ExpectedSteps();
  expected.note('w', chain, [row(0)]);
  expect(stepsOf(expected)).toEqual([0, 1]);
  expected.note('w', chain, [row(0, 'SUCCEEDED')]);
  expect(stepsOf(expected)).toEqual([0, 1]);
  expected.note('w', chain, [row(0, 'SUCCEEDED'), row(1)]);
  expect(stepsOf(expected)).toEqual([1, 2]);
  expected.forget('w');
  expect(expected.of(['w', 'another'])).toEqual([]);
});

it('expected steps are empty when many begin together', () => {
  const wide = compileGraph(workflowOf(...Array.from({ length: 17 }, (_, n) => stepOf({ name: `s${n}` }))));
  const expected = new ExpectedSteps();
  expected.note('w', wide, [row(0)]);
  expected.note(
    'w',
    wide,
    Array.from({ length: 17 }, (_, n) => row(n)),
  );
  expect(stepsOf(expected)).toEqual([]);
});

it('expected steps are kept for the thousand most recently advanced workflows', () => {
  const expected = new ExpectedSteps();
  for (let n = 0; n < 1_000; n++) expected.note(`w${n}`, chain, [row(0)]);
  expected.note('w0', chain, [row(1)]);
  expected.note('one more', chain, [row(0)]);
  expect(stepsOf(expected, 'w1')).toEqual([]);
  expect(stepsOf(expected, 'w0')).toEqual([1, 2]);
});

it('expected steps are not read again, whether they have rows or not', async () => {
  const asked: StepKey[][] = [];
  const readSteps = async (keys: readonly StepKey[]) => {
    asked.push([...keys]);
    return [];
  };
  const known = knownOf(
    [
      { jobId: 'w', step: 0 },
      { jobId: 'w', step: 1 },
      { jobId: 'another', step: 2 },
    ],
    [row(0), row(2, 'RUNNING', 'another')],
  );
  const steps = new Steps(chain, 'w', { readSteps }, known('w'));
  await steps.load([0, 1]);
  expect(asked).toEqual([]);
  expect([steps.row(0).state, steps.row(1).state]).toEqual(['RUNNING', 'WAITING']);
  await steps.load([2]);
  expect(asked).toEqual([[{ jobId: 'w', step: 2 }]]);
  expect(steps.changed()).toEqual([]);
});
