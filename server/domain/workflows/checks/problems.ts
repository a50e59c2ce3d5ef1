/** What is wrong with the definition of a workflow, each with its place. */

export interface WorkflowProblem {
  /** Path of the field, such as `definition.workflow.steps[3].needs[1]`. */
  readonly field: string;
  /** The end of a sentence that begins with the field; says what to do. */
  readonly reason: string;
}

/** Later ones are left out: who has that many to mend will ask again. */
export const MAX_PROBLEMS = 100;

export class Problems {
  readonly found: WorkflowProblem[] = [];

  add(field: string, reason: string): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push({ field, reason });
  }
}
