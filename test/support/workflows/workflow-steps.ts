/** Workflows from short arguments. */
import type { Workflow, WorkflowStep } from '../../../server/domain/workflows/workflow.ts';

export function stepOf(changes: Partial<WorkflowStep> & { readonly name: string }): WorkflowStep {
  return { definition: 'work', definitionVersion: 0, needs: [], rule: 'ALL_SUCCESS', role: 'NORMAL', ...changes };
}

export function workflowOf(...steps: readonly WorkflowStep[]): Workflow {
  return { steps, failureMode: 'FAIL_FAST' };
}
