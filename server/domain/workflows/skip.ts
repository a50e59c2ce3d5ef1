/** Whether a step can be skipped manually, and the effect. */
import { type FanOutState, openItems } from './fan-out.ts';
import { roleOf, type WorkflowRun } from './phases.ts';
import type { StepState } from './step-state.ts';
import type { WorkflowStep } from './workflow.ts';

/** The reason of a skipped step, as shown to operators. */
export function skippedManually(reason: string | undefined): string {
  return reason ? `skipped by hand: ${reason}` : 'skipped by hand';
}

export interface SkippedStep {
  readonly state: StepState;
  readonly fanOut: FanOutState | undefined;
}

/** The objection, as the end of a sentence that begins with the step; undefined: it can be skipped. */
export function whyNotSkippable({ role }: WorkflowStep, state: StepState, run: WorkflowRun): string | undefined {
  if (state !== 'WAITING' && state !== 'RUNNING') return `is ${state}: nothing is left to skip`;
  if (role !== roleOf(run.phase))
    return `has the role ${role}, and the workflow is at ${run.phase}: only steps of that can be skipped`;
  return undefined;
}

/** NOW: the step has no open jobs. LATER: its open jobs are cancelled first. NEVER: it has ended. */
export function decideSkip({ state, fanOut }: SkippedStep): 'NOW' | 'LATER' | 'NEVER' {
  if (state === 'WAITING') return 'NOW';
  if (state !== 'RUNNING') return 'NEVER';
  return fanOut && openItems(fanOut) === 0 ? 'NOW' : 'LATER';
}
