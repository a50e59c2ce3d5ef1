/** The states of a step of a running workflow. */

/** Codes as stored in SQL. */
export const stepStates = {
  /** Undecided: it waits for the steps that it needs, or for its phase. */
  WAITING: 1,
  /** Started and not ended: its job, or one of its jobs, is open. */
  RUNNING: 2,
  SUCCEEDED: 3,
  /** Its job failed, was cancelled or expired, or could not be created. */
  FAILED: 4,
  /** Its trigger rule prevents the start because of a failure before it. */
  UPSTREAM_FAILED: 5,
  /** Its trigger rule or its condition says that it does not run. */
  SKIPPED: 6,
} as const;

export type StepState = keyof typeof stepStates;
export type EndedStepState = Exclude<StepState, 'WAITING' | 'RUNNING'>;

/** An ended step, by its number in the graph. */
export interface EndedStep {
  readonly step: number;
  readonly state: EndedStepState;
}

/** A step that could not start because of a failure counts as failed. */
export function isFailure(state: EndedStepState): boolean {
  return state === 'FAILED' || state === 'UPSTREAM_FAILED';
}
