/** Needs by prefix compared with the same needs by name. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileGraph } from '../../../server/domain/workflows/graph.ts';
import { countNeeds } from '../../../server/domain/workflows/prefixed-needs.ts';
import type { StepRole, WorkflowStep } from '../../../server/domain/workflows/workflow.ts';
import { problemsOf, step, workflow } from '../../unit/domain/workflow/made-workflow.ts';

const name = fc
  .string({ unit: fc.constantFrom('a', 'b', '_', '1'), minLength: 0, maxLength: 4 })
  .map((end) => `s${end}`);
const prefixes = fc.uniqueArray(name, { maxLength: 3 });
const made = fc.record({
  names: fc.uniqueArray(name, { minLength: 1, maxLength: 12 }),
  prefixes: fc.array(prefixes, { minLength: 12, maxLength: 12 }),
  needs: fc.array(fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 2 }), { minLength: 12, maxLength: 12 }),
  roles: fc.array(fc.constantFrom<StepRole>('NORMAL', 'NORMAL', 'FINALLY'), { minLength: 12, maxLength: 12 }),
});

/** Only earlier names match if `isOrdered`: then there are no cycles. */
function stepsOf({
  names,
  prefixes,
  needs,
  roles,
}: typeof made extends fc.Arbitrary<infer T> ? T : never): WorkflowStep[] {
  return names.map((own, i) => {
    const matching = (prefixes[i] ?? []).filter((prefix) =>
      names.some((other, j) => other !== own && roles[j] === roles[i] && other.startsWith(prefix)),
    );
    const named = (needs[i] ?? []).flatMap((need) => {
      const other = names[need];
      return other !== undefined && other !== own && roles[need] === roles[i] ? other : [];
    });
    const role = roles[i] ?? 'NORMAL';
    return step(own, named, { role, ...(matching.length > 0 ? { needsPrefixes: matching } : {}) });
  });
}

/** The same needs, each by name: those that a prefix matches after the others, in the order of the steps. */
function expanded(steps: readonly WorkflowStep[]): WorkflowStep[] {
  return steps.map(({ needsPrefixes = [], ...own }) => {
    const others = steps.filter(({ name, role }) => name !== own.name && role === own.role);
    const matching = others.filter(({ name }) => needsPrefixes.some((prefix) => name.startsWith(prefix)));
    return { ...own, needs: [...new Set([...own.needs, ...matching.map(({ name }) => name)])] };
  });
}

const isCycle = (problem: string) => problem.includes('part of a cycle');

it('prefixes make the same graph as names, or the same cycles', () => {
  let [graphs, cycles] = [0, 0];
  fc.assert(
    fc.property(made, (given) => {
      const [short, long] = [stepsOf(given), expanded(stepsOf(given))];
      const problems = problemsOf(workflow(short)).map((text) => text.replace('needs_prefixes', 'needs'));
      expect(problems).toEqual(problemsOf(workflow(long)));
      expect(problems.every(isCycle)).toBe(true);
      if (problems.length > 0) {
        cycles++;
        return;
      }
      graphs++;
      const [one, other] = [compileGraph(workflow(short)), compileGraph(workflow(long))];
      for (const number of short.keys()) {
        expect(one.needs(number)).toEqual(other.needs(number));
        expect(one.needCount(number)).toBe(other.needs(number).length);
        expect(one.successors(number)).toEqual(other.successors(number));
      }
      for (const role of ['NORMAL', 'FINALLY'] as const) {
        expect(one.roots(role)).toEqual(other.roots(role));
        expect(one.leaves(role)).toEqual(other.leaves(role));
      }
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(graphs, cycles)).toBeGreaterThan(50);
});

it('needs are counted without being listed', () => {
  fc.assert(
    fc.property(made, (given) => {
      const steps = stepsOf({ ...given, needs: [] });
      expect(countNeeds(steps)).toBe(expanded(steps).reduce((sum, { needs }) => sum + needs.length, 0));
    }),
  );
});
