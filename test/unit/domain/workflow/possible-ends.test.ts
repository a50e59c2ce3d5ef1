/** The states in which a step may end, as its trigger rule decides for all possible ends of its needs. */
import { describe, expect, it } from 'vitest';
import { endBits, endsBehind } from '../../../../server/domain/workflows/checks/possible-ends.ts';
import type { EndedStepState } from '../../../../server/domain/workflows/step-state.ts';
import { decideRule, noneEnded, withEnd } from '../../../../server/domain/workflows/trigger-rules.ts';
import { type TriggerRule, triggerRules } from '../../../../server/domain/workflows/workflow.ts';
import { problemsOf, step, workflow } from './made-workflow.ts';

const rules = Object.keys(triggerRules) as TriggerRule[];
const ends = Object.keys(endBits) as EndedStepState[];
const started: EndedStepState[] = ['SUCCEEDED', 'FAILED'];

/** All ways to choose one element of each list. */
function choices<T>(of: readonly (readonly T[])[]): T[][] {
  return of.reduce<T[][]>((made, next) => made.flatMap((one) => next.map((last) => [...one, last])), [[]]);
}

function ordersOf<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first, i) => ordersOf([...of.slice(0, i), ...of.slice(i + 1)]).map((rest) => [first, ...rest]));
}

/** The possible ends when the needs end in this order. */
function endsInOrder(rule: TriggerRule, order: readonly EndedStepState[]): EndedStepState[] {
  for (let ended = 0; ended <= order.length; ended++) {
    const decision = decideRule(rule, order.slice(0, ended).reduce(withEnd, noneEnded), order.length);
    if (decision === 'START') return started;
    if (decision !== 'WAIT') return [decision === 'SKIP' ? 'SKIPPED' : decision];
  }
  throw new Error(`${rule} still waits`);
}

function decided(rule: TriggerRule, sets: readonly (readonly EndedStepState[])[]): EndedStepState[] {
  const found = choices(sets).flatMap((chosen) => ordersOf(chosen).flatMap((order) => endsInOrder(rule, order)));
  return ends.filter((end) => found.includes(end));
}

function endsOf(rule: TriggerRule, sets: readonly (readonly EndedStepState[])[]): EndedStepState[] {
  const bits = endsBehind(
    { rule },
    sets.map((set) => set.reduce((all, end) => all | endBits[end], 0)),
  );
  return ends.filter((end) => (bits & endBits[end]) !== 0);
}

const setsOfEnds = Array.from({ length: 15 }, (_, i) => ends.filter((end) => ((i + 1) & endBits[end]) !== 0));
/** Up to three needs, each combination once, because their order does not matter. */
const needs = [1, 2, 3].flatMap((count) =>
  choices(Array.from({ length: count }, () => setsOfEnds.map((_, i) => i)))
    .filter((chosen) => chosen.every((one, i) => i === 0 || one >= (chosen[i - 1] as number)))
    .map((chosen) => chosen.map((one) => setsOfEnds[one] as EndedStepState[])),
);

describe('the computed ends of a step', () => {
  it.each(rules)('are exactly the possible ones for up to three needs, with %s', (rule) => {
    const wrong = needs.filter((sets) => endsOf(rule, sets).join() !== decided(rule, sets).join());
    expect(wrong.slice(0, 5).map((sets) => [sets, endsOf(rule, sets), decided(rule, sets)])).toEqual([]);
  });
});

it('a step behind one that could not start is skipped when its rule asks for one that is done', () => {
  const steps = [
    step('a'),
    step('b', ['a']),
    step('x', ['b'], { rule: 'ONE_DONE' }),
    step('y', ['x'], { rule: 'ALL_SKIPPED' }),
  ];
  expect(problemsOf(workflow(steps))).toEqual([]);
});

it('validation names the possible ends of a need that is never done itself', () => {
  const steps = [
    step('a'),
    step('b', ['a'], { rule: 'ALL_SKIPPED' }),
    step('c', ['a', 'b']),
    step('d', ['c'], { rule: 'ONE_DONE' }),
  ];
  expect(problemsOf(workflow(steps)).at(-1)).toContain(
    'ONE_DONE does not fit, since c can only be kept from starting by a failure or be skipped;',
  );
});

describe('validation of a step that counts items', () => {
  const behind = (fanOut: object, countsItems: boolean) =>
    problemsOf(
      workflow([
        step('a', [], { fanOut: { items: '[1]', ...fanOut } }),
        step('b', ['a'], { rule: 'ALL_SKIPPED', ...(countsItems && { countsItems }) }),
      ]),
    ).length;

  it('knows that items are skipped only if the fan-out may end before all have begun', () => {
    expect(behind({}, true)).toBe(1);
    expect(behind({ maxFailed: 1 }, true)).toBe(0);
    expect(behind({ successPolicy: [{ count: 1 }] }, true)).toBe(0);
    expect(behind({ maxFailed: 1 }, false)).toBe(1);
  });
});
