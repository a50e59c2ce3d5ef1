/** What a step's job waits for outside of its workflow: which steps may, and the meaning of the expressions' values. */

import { isDottedName } from '../base/dotted-name.ts';
import { isUuid } from '../base/uuid.ts';
import type { Dependency } from '../dependencies/dependencies.ts';
import type { Problems } from './checks/problems.ts';
import type { DependencyExpression, WorkflowStep } from './workflow.ts';

/** Unsupported combinations: each of these creates, or uses, more than one job per turn of the step. */
const besides = {
  fanOut: ['fan_out', 'give each item a workflow whose step waits'],
  loop: ['loop', 'put the loop into a workflow of its own, and set `depends_on` on the step that runs it'],
  cache: [
    'cache',
    'an earlier result would be used without the wait; put a step with `depends_on` before the one with the cache',
  ],
} as const;

export function checkDependsOn(steps: readonly WorkflowStep[], field: string, problems: Problems): void {
  for (const [i, step] of steps.entries()) {
    if (!step.dependsOn) continue;
    for (const key of ['fanOut', 'loop', 'cache'] as const) {
      const [name, instead] = besides[key];
      if (step[key]) problems.add(`${field}[${i}].depends_on`, `is set together with ${name}; ${instead}`);
    }
  }
}

/** A dependency's expression, and its field's name below the dependency. */
export function expressionOf({ on }: DependencyExpression): { readonly text: string; readonly field: string } {
  switch (on.kind) {
    case 'JOB':
      return { text: on.jobId, field: 'job_id' };
    case 'STEP':
      return { text: on.workflowJobId, field: 'step.workflow_job_id' };
    case 'ASSET':
      return { text: on.name, field: 'asset' };
  }
}

/** The dependency that the expression's value names. A string is a problem, as the end of a sentence. */
export function dependencyOf({ on, condition }: DependencyExpression, value: unknown): Dependency | string {
  if (typeof value !== 'string') return 'yields no string';
  if (on.kind === 'ASSET')
    return isDottedName(value) ? { on: { kind: 'ASSET', name: value }, condition } : 'yields no valid asset name';
  if (!isUuid(value)) return 'yields no job UUID';
  const jobId = value.toLowerCase();
  if (on.kind === 'JOB') return { on: { kind: 'JOB', jobId }, condition };
  return { on: { kind: 'STEP', workflowJobId: jobId, step: on.step }, condition };
}
