/** What a workflow's jobs are made from: its steps, and what takes them back. */
import type { Workflow, WorkflowStep } from './workflow.ts';

export type MadeFrom = Pick<WorkflowStep, 'definition' | 'definitionVersion'>;

export interface LocatedDefinition extends MadeFrom {
  /** Of the field that names it, below the workflow. */
  readonly field: string;
}

/** Those of the steps in their order, each with that of its compensation behind it. */
export function definitionsOf({ steps }: Workflow): LocatedDefinition[] {
  return steps.flatMap(({ definition, definitionVersion, compensation }, i) => {
    const own = { definition, definitionVersion, field: `steps[${i}].definition` };
    return compensation ? [own, { ...compensation, field: `steps[${i}].compensation.definition` }] : [own];
  });
}
