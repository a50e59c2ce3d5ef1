/** Colours of steps in drawings, close to those of the terminal. */
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';

export interface Colours {
  readonly fill: string;
  readonly stroke: string;
}

const grey = { fill: '#f8fafc', stroke: '#94a3b8' };
const colours: Partial<Record<StepState, Colours>> = {
  [StepState.RUNNING]: { fill: '#cffafe', stroke: '#0891b2' },
  [StepState.SUCCEEDED]: { fill: '#dcfce7', stroke: '#15803d' },
  [StepState.FAILED]: { fill: '#fee2e2', stroke: '#b91c1c' },
  [StepState.UPSTREAM_FAILED]: { fill: '#fff1f2', stroke: '#e11d48' },
  [StepState.SKIPPED]: { fill: '#e2e8f0', stroke: '#64748b' },
};

export function colourOf(state: StepState): Colours {
  return colours[state] ?? grey;
}
