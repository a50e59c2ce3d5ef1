/** Reports expressions that don't parse, that use unknown names, or that refer to steps that do not come before. */
import { notBefore, type Reference } from '../ancestors.ts';
import type { Path } from '../expressions/expression-paths.ts';
import { keepExpressions, readExpression } from '../expressions/expression-shape.ts';
import { stepsOf } from '../expressions/expressions.ts';
import { expressionsOf, type LocatedExpression, scopesOfNames } from '../expressions/step-expressions.ts';
import type { Needs } from '../needs.ts';
import type { Workflow, WorkflowStep } from '../workflow.ts';
import type { Problems } from './problems.ts';

/** Characters parsed between two yields: some 10 ms. */
const STRETCH = 8_192;

/** Yields now and then, so that the caller can do other work meanwhile. */
export function* checkExpressions(
  workflow: Workflow,
  needs: Needs,
  order: readonly number[],
  field: string,
  problems: Problems,
): Generator<void, void> {
  const references = new Map<Reference, LocatedExpression>();
  const known = keepExpressions(workflow);
  let length = 0;
  for (const located of expressionsOf(workflow, field)) {
    if (!known.has(located.text)) length += located.text.length;
    const read = readExpression(located.text, known);
    if ('problem' in read) problems.add(located.field, read.problem);
    else checkNames(workflow.steps, located, read.paths, needs, references, problems);
    if (length > STRETCH) {
      yield;
      length = 0;
    }
  }
  for (const reference of yield* notBefore(needs, order, [...references.keys()])) {
    const located = references.get(reference) as LocatedExpression;
    problems.add(located.field, notBeforeText(workflow.steps, reference));
  }
}

function notBeforeText(steps: readonly WorkflowStep[], { from, to }: Reference): string {
  return `names ${steps[to]?.name}, which does not come before: let ${steps[from]?.name} need it, or a step that does`;
}

/** Adds to `references` the references to steps that must come before. */
function checkNames(
  steps: readonly WorkflowStep[],
  located: LocatedExpression,
  paths: readonly Path[],
  needs: Needs,
  references: Map<Reference, LocatedExpression>,
  problems: Problems,
): void {
  const used = new Set(paths.map(({ parts }) => parts[0] as string));
  for (const name of used)
    if (!located.names.includes(name))
      problems.add(located.field, `names ${name}, which is there in ${scopesOfNames[name]} only`);
  for (const name of stepsOf(paths)) {
    const to = needs.numbers.get(name);
    const named = to === undefined ? undefined : steps[to];
    const problem = named ? problemOf(located, steps, named) : `names ${name}, which is no step of this workflow`;
    if (problem) problems.add(located.field, problem);
    else if (!isOver(located, steps, named))
      references.set({ from: located.step as number, to: to as number }, located);
  }
}

const instead: Partial<Record<LocatedExpression['kind'], string>> = {
  repeat_condition: 'output is what its last pass gave',
  compensation: 'output is what it gave',
};

function problemOf(
  { step, kind }: LocatedExpression,
  steps: readonly WorkflowStep[],
  named: WorkflowStep,
): string | undefined {
  const from = step === undefined ? undefined : steps[step];
  if (named === from) {
    const text = instead[kind] ?? 'it has no output before it has run';
    return `refers to the step itself; ${text}`;
  }
  const role = from?.role ?? 'NORMAL';
  if (named.role === role || named.role === 'NORMAL') return undefined;
  return `names ${named.name}, a step of the role ${named.role}; ${from ? `one of ${role}` : 'the output'} may name steps of ${role === 'NORMAL' ? 'NORMAL' : `${role} and NORMAL`} only`;
}

/** When the output, or a step of another role, reads the work's steps, the work is over. */
function isOver({ step }: LocatedExpression, steps: readonly WorkflowStep[], named: WorkflowStep | undefined): boolean {
  return step === undefined || named?.role !== steps[step]?.role;
}
