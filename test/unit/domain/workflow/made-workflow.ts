/** Workflows from short arguments, and their problems. */
import { workflowProblems } from '../../../../server/domain/workflows/checks/validate.ts';
import type { Workflow, WorkflowStep } from '../../../../server/domain/workflows/workflow.ts';

export function step(name: string, needs: readonly string[] = [], more: Partial<WorkflowStep> = {}): WorkflowStep {
  return { name, definition: 'task', definitionVersion: 0, needs, rule: 'ALL_SUCCESS', role: 'NORMAL', ...more };
}

export function workflow(steps: readonly WorkflowStep[], more: Partial<Workflow> = {}): Workflow {
  return { steps, failureMode: 'FAIL_FAST', ...more };
}

/** The problems, each as "field reason". */
export function problemsOf(made: Workflow): string[] {
  const problems = workflowProblems(made, 'w');
  let found = problems.next();
  while (!found.done) found = problems.next();
  return found.value.map(({ field, reason }) => `${field} ${reason}`);
}
