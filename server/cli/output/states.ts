/** Names and colours of job states. */
import { type Job, JobState, StepState, StepStateSchema, stateName } from '@muster/sdk/grpc';
import type { Output, Style } from './output.ts';

const STYLES: Partial<Record<JobState, Style>> = {
  [JobState.SUCCEEDED]: 'green',
  [JobState.FAILED]: 'red',
  [JobState.EXPIRED]: 'red',
  [JobState.CANCELLED]: 'yellow',
  [JobState.CANCELLING]: 'yellow',
  [JobState.SKIPPED]: 'dim',
  [JobState.PAUSED]: 'magenta',
  [JobState.RUNNING]: 'cyan',
  [JobState.ASSIGNED]: 'cyan',
};

export function styledState(out: Output, state: JobState, text = stateName(state)): string {
  const style = STYLES[state];
  return style === undefined ? text : out.styled(style, text);
}

const STEP_STYLES: Partial<Record<StepState, Style>> = {
  [StepState.SUCCEEDED]: 'green',
  [StepState.FAILED]: 'red',
  [StepState.UPSTREAM_FAILED]: 'red',
  [StepState.SKIPPED]: 'dim',
  [StepState.RUNNING]: 'cyan',
};

export function stepStateName(state: StepState): string {
  return StepStateSchema.value[state]?.localName ?? String(state);
}

export function styledStepState(out: Output, state: StepState, text = stepStateName(state)): string {
  const style = STEP_STYLES[state];
  return style === undefined ? text : out.styled(style, text);
}

/** A one-line remark about a job besides its state. */
export function jobRemark({ outcome, progress, state, stateReason }: Job): string {
  if (outcome.case === 'failure') return `${outcome.value.type || 'failure'}: ${outcome.value.message}`;
  if (stateReason !== '') return stateReason;
  const running = state === JobState.RUNNING || state === JobState.ASSIGNED;
  if (!running || progress === undefined) return '';
  return `${Math.floor(progress.fraction * 100)} %${progress.message ? ` ${progress.message}` : ''}`;
}
