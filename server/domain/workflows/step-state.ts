/** The states of a step of a workflow that runs. */

/** Codes as stored in SQL. */
export const stepStates = {
  /** Nothing has been decided: it waits for the steps that it needs, or for its phase. */
  WAITING: 1,
  /** It has been started and has not ended: its job, or one of its jobs, is open. */
  RUNNING: 2,
  SUCCEEDED: 3,
  /** Its job failed, was cancelled or expired, or could not be made. */
  FAILED: 4,
  /** Its trigger rule says that it can't start because of a failure before it. */
  UPSTREAM_FAILED: 5,
  /** Its trigger rule or its condition says that it does not run. */
  SKIPPED: 6,
} as const;

export type StepState = keyof typeof stepStates;
export type EndedStepState = Exclude<StepState, 'WAITING' | 'RUNNING'>;

/** A step that has ended, by its number in the graph. */
export interface EndedStep {
  readonly step: number;
  readonly state: EndedStepState;
}

/** What is said of failed steps holds for those that could not start because of one, too. */
export function isFailure(state: EndedStepState): boolean {
  return state === 'FAILED' || state === 'UPSTREAM_FAILED';
}
