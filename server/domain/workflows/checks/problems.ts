/** Problems of a workflow's definition, each with its location. */

export interface WorkflowProblem {
  /** Path of the field, such as `definition.workflow.steps[3].needs[1]`. */
  readonly field: string;
  /** The end of a sentence that begins with the field; it says what to do. */
  readonly reason: string;
}

/** Maximum reported problems; after fixing those the caller validates again. */
export const MAX_PROBLEMS = 100;

export class Problems {
  readonly found: WorkflowProblem[] = [];

  add(field: string, reason: string): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push({ field, reason });
  }
}
