/** Which steps of a large workflow are drawn. */
import { StepState, type WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';

/** Those that an operator looks for come first. */
const order: readonly StepState[] = [StepState.FAILED, StepState.RUNNING];

/** At most `most` steps: those that have failed, those that run, then the others, each in the order of the definition. */
export function drawnSteps(steps: readonly WorkflowStepRun[], most: number): WorkflowStepRun[] {
  if (steps.length <= most) return [...steps];
  const rank = ({ state }: WorkflowStepRun) => (order.includes(state) ? order.indexOf(state) : order.length);
  return steps
    .toSorted((a, b) => rank(a) - rank(b) || a.number - b.number)
    .slice(0, most)
    .sort((a, b) => a.number - b.number);
}
