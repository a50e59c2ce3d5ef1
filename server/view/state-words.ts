/** Words for the states of jobs and steps. */
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { type StepState, StepStateSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { reportedText } from './progress-words.ts';

export function stepStateName(state: StepState): string {
  return StepStateSchema.value[state]?.localName ?? String(state);
}

/** A one-line remark about a job besides its state. */
export function jobRemark({ outcome, progress, state, stateReason }: Job): string {
  if (outcome.case === 'failure') return `${outcome.value.type || 'failure'}: ${outcome.value.message}`;
  if (stateReason !== '') return stateReason;
  const running = state === JobState.RUNNING || state === JobState.ASSIGNED;
  if (!running || progress === undefined) return '';
  return reportedText(progress);
}
