/** The definitions that a workflow's jobs are created from: those of its steps and of their compensations. */
import type { Workflow, WorkflowStep } from './workflow.ts';

export type MadeFrom = Pick<WorkflowStep, 'definition' | 'definitionVersion'>;

export interface LocatedDefinition extends MadeFrom {
  /** Path of the field that names it, below the workflow. */
  readonly field: string;
}

/** The definitions of the steps in order, each followed by that of its compensation. */
export function definitionsOf({ steps }: Workflow): LocatedDefinition[] {
  return steps.flatMap(({ definition, definitionVersion, compensation }, i) => {
    const own = { definition, definitionVersion, field: `steps[${i}].definition` };
    return compensation ? [own, { ...compensation, field: `steps[${i}].compensation.definition` }] : [own];
  });
}
