/** All checks that need only the workflow's definition. */

import { checkCompensations } from '../compensation.ts';
import { needsOf } from '../needs.ts';
import { checkCaches } from '../step-cache.ts';
import { checkDependsOn } from '../step-dependencies.ts';
import type { Workflow } from '../workflow.ts';
import { checkExpressions } from './check-expressions.ts';
import { orderOf, reportCycles } from './cycles.ts';
import { reportUnreachable } from './possible-ends.ts';
import { Problems, type WorkflowProblem } from './problems.ts';

/**
 * All problems, up to the first 100. Each step's own fields, such as names and ranges, were checked before; none of it
 * need be correct here. Yields now and then, so that the caller can do other work meanwhile: 10,000 steps with an
 * expression each take half a second.
 */
export function* workflowProblems(workflow: Workflow, field: string): Generator<void, readonly WorkflowProblem[]> {
  const problems = new Problems();
  const { steps } = workflow;
  const fieldOfSteps = `${field}.steps`;
  if (steps.length === 0) problems.add(fieldOfSteps, 'is empty; a workflow has at least one step');
  for (const [i, { loop, fanOut }] of steps.entries())
    if (loop && fanOut)
      problems.add(`${fieldOfSteps}[${i}].loop`, 'is set together with fan_out; a step may have one of the two');
  checkCompensations(steps, fieldOfSteps, problems);
  checkCaches(steps, fieldOfSteps, problems);
  checkDependsOn(steps, fieldOfSteps, problems);
  const needs = needsOf(steps, fieldOfSteps, problems);
  yield;
  const order = orderOf(needs);
  reportCycles(steps, needs, order, fieldOfSteps, problems);
  reportUnreachable(steps, needs, order, fieldOfSteps, problems);
  yield;
  yield* checkExpressions(workflow, needs, order, field, problems);
  return problems.found;
}
