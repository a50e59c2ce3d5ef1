/** Colours of the states of jobs and steps. */
import { JobState, StepState, stateName } from '@muster-jobs/sdk/grpc';
import { stepStateName } from '../../view/state-words.ts';
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

export function styledStepState(out: Output, state: StepState, text = stepStateName(state)): string {
  const style = STEP_STYLES[state];
  return style === undefined ? text : out.styled(style, text);
}
