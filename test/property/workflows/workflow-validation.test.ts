/** Validation of workflows compared with slow and simple algorithms. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { notBefore } from '../../../server/domain/workflows/ancestors.ts';
import { orderOf } from '../../../server/domain/workflows/checks/cycles.ts';
import { indexesText, parseIndexes } from '../../../server/domain/workflows/success-indexes.ts';
import { type TriggerRule, triggerRules, type WorkflowStep } from '../../../server/domain/workflows/workflow.ts';
import { problemsOf, step, workflow } from '../../unit/domain/workflow/made-workflow.ts';

const size = 6;
/** Any graph: for each step the numbers of its needs. */
const graph = fc.array(fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: 3 }), {
  minLength: size,
  maxLength: size,
});
const needsIn = (of: readonly (readonly number[])[]) => ({ numbers: new Map(), of });

function isBefore(of: readonly (readonly number[])[], one: number, other: number, seen = new Set<number>()): boolean {
  return (of[other] ?? []).some((need) => need === one || (!seen.has(need) && isBefore(of, one, need, seen.add(need))));
}

it('the order contains every step that is behind no cycle, each after its needs', () => {
  fc.assert(
    fc.property(graph, (of) => {
      const order = orderOf(needsIn(of));
      const isFree = (number: number) =>
        ![number, ...of.keys()].some((at) => (at === number || isBefore(of, at, number)) && isBefore(of, at, at));
      expect([...order].sort()).toEqual([...of.keys()].filter(isFree));
      for (const [place, number] of order.entries())
        for (const need of of[number] as number[]) expect(order.indexOf(need)).toBeLessThan(place);
    }),
  );
});

it('a cycle is reported exactly when one exists', () => {
  fc.assert(
    fc.property(graph, (of) => {
      const steps = of.map((needs, i) =>
        step(
          `s${i}`,
          needs.filter((need) => need !== i).map((need) => `s${need}`),
        ),
      );
      const without = of.map((needs, i) => needs.filter((need) => need !== i));
      const reported = problemsOf(workflow(steps)).filter((text) => text.includes('cycle'));
      expect(reported.length > 0).toBe([...without.keys()].some((at) => isBefore(without, at, at)));
    }),
  );
});

it('a step comes before another one exactly when a search says so', () => {
  const pair = fc.record({ from: fc.nat({ max: 39 }), to: fc.nat({ max: 39 }) });
  const forward = fc.array(fc.array(fc.nat({ max: 38 }), { maxLength: 3 }), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(forward, fc.array(pair, { maxLength: 60 }), (given, references) => {
      const of = given.map((needs, i) => [...new Set(needs)].filter((need) => need < i));
      const needs = needsIn(of);
      const expected = references.filter(({ from, to }) => !isBefore(of, to, from));
      const search = notBefore(needs, orderOf(needs), references);
      let found = search.next();
      while (!found.done) found = search.next();
      expect(found.value).toEqual(expected);
    }),
  );
});

/** Succeeded, failed, could not start because of a failure, or was skipped. */
type End = 'S' | 'F' | 'U' | 'K';

/** The result for a step whose needs have all ended, as the contract defines it. */
function startsOr(rule: TriggerRule, ends: readonly End[]): 'start' | 'U' | 'K' {
  const all = (...of: End[]) => ends.every((end) => of.includes(end));
  const some = (...of: End[]) => ends.some((end) => of.includes(end));
  if (ends.length === 0) return 'start';
  switch (rule) {
    case 'ALL_SUCCESS':
      return all('S') ? 'start' : some('F', 'U') ? 'U' : 'K';
    case 'ALL_FAILED':
      return all('F', 'U') ? 'start' : 'K';
    case 'ALL_DONE':
    case 'ALWAYS':
      return 'start';
    case 'ALL_DONE_MIN_ONE_SUCCESS':
      return some('K') ? 'K' : some('S') ? 'start' : 'U';
    case 'ALL_SKIPPED':
      return all('K') ? 'start' : 'K';
    case 'ONE_SUCCESS':
      return some('S') ? 'start' : all('K') ? 'K' : 'U';
    case 'ONE_FAILED':
      return some('F', 'U') ? 'start' : 'K';
    case 'ONE_DONE':
      return some('S', 'F') ? 'start' : 'K';
    case 'NONE_FAILED':
      return some('F', 'U') ? 'U' : 'start';
    case 'NONE_FAILED_MIN_ONE_SUCCESS':
      return some('F', 'U') ? 'U' : all('K') ? 'K' : 'start';
    case 'NONE_SKIPPED':
      return some('K') ? 'K' : 'start';
    case 'ALL_DONE_SETUP_SUCCESS':
      return some('S') ? 'start' : all('K') ? 'K' : 'U';
  }
}

/** The steps that start in at least one possible course. */
function startable(steps: readonly WorkflowStep[]): Set<string> {
  const started = new Set<string>();
  let courses: End[][] = [[]];
  for (const { name, rule, needs, condition } of steps)
    courses = courses.flatMap((course) => {
      const what = startsOr(
        rule,
        needs.map((need) => course[Number(need.slice(1))] as End),
      );
      if (what !== 'start') return [[...course, what]];
      started.add(name);
      return (condition === undefined ? ['S', 'F'] : ['S', 'F', 'K']).map((end) => [...course, end as End]);
    });
  return started;
}

const rules = Object.keys(triggerRules) as TriggerRule[];

/** The numbers of steps that validation reports. */
function neverStarting(steps: readonly WorkflowStep[]): number[] {
  return problemsOf(workflow(steps)).map((text) => Number(/steps\[(\d+)\].trigger_rule/.exec(text)?.[1]));
}

it('validation reports exactly the steps that never start in any chain of four steps, for all rules', () => {
  for (const [second, third, fourth] of rules.flatMap((one) =>
    rules.flatMap((two) => rules.map((last) => [one, two, last])),
  )) {
    const steps = ['ALL_SUCCESS' as const, second, third, fourth].map((rule, i) =>
      step(`s${i}`, i === 0 ? [] : [`s${i - 1}`], { rule: rule as TriggerRule }),
    );
    const can = startable(steps);
    const never = [...steps.keys()].filter((number) => !can.has(`s${number}`));
    expect(neverStarting(steps), `${second}, ${third}, ${fourth}`).toEqual(never);
  }
});

it('validation reports no step that can start, and reports the first step that never can', () => {
  const rule = fc.constantFrom(...rules);
  const made = fc.array(
    fc.record({ needs: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }), rule, isConditional: fc.boolean() }),
    {
      minLength: 2,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(made, (given) => {
      const steps = given.map(({ needs, rule, isConditional }, i) => {
        const names = [...new Set(needs)].filter((need) => need < i).map((need) => `s${need}`);
        return step(`s${i}`, names, { rule, ...(isConditional ? { condition: 'true' } : {}) });
      });
      const can = startable(steps);
      const reported = neverStarting(steps);
      for (const number of reported) expect(can.has(`s${number}`)).toBe(false);
      const first = steps.findIndex(({ name }) => !can.has(name));
      const isPlain = steps.slice(0, first).every(({ needs }) => needs.length === 0);
      if (first >= 0 && isPlain) expect(reported).toContain(first);
    }),
    { numRuns: 500 },
  );
});

it('indexes of items are parsed as they are written', () => {
  const spans = fc
    .uniqueArray(fc.nat({ max: 99_999 }), { minLength: 2, maxLength: 40 })
    .map((places) => places.sort((one, other) => one - other))
    .map((places) => places.flatMap((place, i) => (i % 2 === 1 ? [[places[i - 1], place] as [number, number]] : [])));
  fc.assert(
    fc.property(spans, (given) => {
      expect(parseIndexes(indexesText(given))).toEqual(given);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = parseIndexes(text);
      if ('problem' in found) expect(found.problem).toMatch(/^(must|has|is) /);
      else expect(parseIndexes(indexesText(found))).toEqual(found);
    }),
  );
});
