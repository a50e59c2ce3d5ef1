/** Expressions that are none, that name what is not there, or steps that do not come before. */
import { notBefore, type Reference } from '../ancestors.ts';
import type { Path } from '../expressions/expression-paths.ts';
import { keepExpressions, readExpression } from '../expressions/expression-shape.ts';
import { stepsOf } from '../expressions/expressions.ts';
import { expressionsOf, type PlacedExpression, placesOfNames } from '../expressions/step-expressions.ts';
import type { Needs } from '../needs.ts';
import type { Workflow, WorkflowStep } from '../workflow.ts';
import type { Problems } from './problems.ts';

/** Parsed at a stretch, in characters: some 10 ms. */
const STRETCH = 8_192;

/** Yields now and then, so that a caller may see to others meanwhile. */
export function* checkExpressions(
  workflow: Workflow,
  needs: Needs,
  order: readonly number[],
  field: string,
  problems: Problems,
): Generator<void, void> {
  const references = new Map<Reference, PlacedExpression>();
  const known = keepExpressions(workflow);
  let length = 0;
  for (const placed of expressionsOf(workflow, field)) {
    if (!known.has(placed.text)) length += placed.text.length;
    const read = readExpression(placed.text, known);
    if ('problem' in read) problems.add(placed.field, read.problem);
    else checkNames(workflow.steps, placed, read.paths, needs, references, problems);
    if (length > STRETCH) {
      yield;
      length = 0;
    }
  }
  for (const reference of notBefore(needs, order, [...references.keys()])) {
    const placed = references.get(reference) as PlacedExpression;
    problems.add(placed.field, notBeforeText(workflow.steps, reference));
  }
}

function notBeforeText(steps: readonly WorkflowStep[], { from, to }: Reference): string {
  return `names ${steps[to]?.name}, which does not come before: let ${steps[from]?.name} need it, or a step that does`;
}

/** Adds to `references` those to steps that have to come before. */
function checkNames(
  steps: readonly WorkflowStep[],
  placed: PlacedExpression,
  paths: readonly Path[],
  needs: Needs,
  references: Map<Reference, PlacedExpression>,
  problems: Problems,
): void {
  const used = new Set(paths.map(({ parts }) => parts[0] as string));
  for (const name of used)
    if (!placed.names.includes(name))
      problems.add(placed.field, `names ${name}, which is there in ${placesOfNames[name]} only`);
  for (const name of stepsOf(paths)) {
    const to = needs.numbers.get(name);
    const named = to === undefined ? undefined : steps[to];
    const problem = named ? problemOf(placed, steps, named) : `names ${name}, which is no step of this workflow`;
    if (problem) problems.add(placed.field, problem);
    else if (!isOver(placed, steps, named)) references.set({ from: placed.step as number, to: to as number }, placed);
  }
}

const instead: Partial<Record<PlacedExpression['kind'], string>> = {
  while: 'output is what its last pass gave',
  compensation: 'output is what it gave',
};

function problemOf(
  { step, kind }: PlacedExpression,
  steps: readonly WorkflowStep[],
  named: WorkflowStep,
): string | undefined {
  const from = step === undefined ? undefined : steps[step];
  if (named === from) {
    const text = instead[kind] ?? 'it has no output before it has run';
    return `names the step itself; ${text}`;
  }
  const role = from?.role ?? 'NORMAL';
  if (named.role === role || named.role === 'NORMAL') return undefined;
  return `names ${named.name}, a step of the role ${named.role}; ${from ? `one of ${role}` : 'the output'} may name steps of ${role === 'NORMAL' ? 'NORMAL' : `${role} and NORMAL`} only`;
}

/** The work is over by the time when the output, and steps of other roles, look at it. */
function isOver({ step }: PlacedExpression, steps: readonly WorkflowStep[], named: WorkflowStep | undefined): boolean {
  return step === undefined || named?.role !== steps[step]?.role;
}
