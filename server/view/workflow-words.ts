/** Words for the progress of a workflow and of its steps. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type CompensationRun,
  StepState,
  type Workflow,
  type WorkflowStepRun,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { stepStateName } from './state-words.ts';
import { spanText } from './times.ts';

/** The number of steps in each state, without the states of no step. */
export function stepCountsText(workflow: Workflow): string {
  const counts = [
    [StepState.SUCCEEDED, workflow.succeededCount],
    [StepState.FAILED, workflow.failedCount],
    [StepState.UPSTREAM_FAILED, workflow.upstreamFailedCount],
    [StepState.SKIPPED, workflow.skippedCount],
    [StepState.RUNNING, workflow.runningCount],
    [StepState.WAITING, workflow.waitingCount],
  ] as const;
  const shown = counts.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${stepStateName(state)}`);
  if (workflow.cachedCount > 0) shown.push(`${workflow.cachedCount} of them cached`);
  return shown.join(', ');
}

/** Progress of a fan-out or a loop, or that the result is an earlier job's; empty for other steps. */
export function progressText({ fanOut, iterationCount: iteration, cached }: WorkflowStepRun): string {
  if (cached) return 'cached';
  if (!fanOut) return iteration > 0 ? `pass ${iteration + 1}` : '';
  const failed = fanOut.failedCount > 0 ? `, ${fanOut.failedCount} failed` : '';
  return `${fanOut.succeededCount}/${fanOut.itemCount}${failed}${fanOut.startedCount < fanOut.itemCount ? `, ${fanOut.startedCount} started` : ''}`;
}

/** Such as `42 % done, about 1m 20s left`. */
export function howFarText({ progress, estimatedEndTime }: Workflow, nowMs: number): string {
  const share = `${percentOf(progress)} % done`;
  if (estimatedEndTime === undefined) return share;
  return `${share}, about ${spanText(Math.max(0, timestampMs(estimatedEndTime) - nowMs))} left`;
}

/** Never 100 before the end. */
function percentOf(progress: number): number {
  return Math.min(99, Math.floor(progress * 100));
}

/** Empty if it was not needed. */
export function compensationText({ state, jobId, reason }: CompensationRun): string {
  switch (state) {
    case StepState.RUNNING:
      return `job ${jobId} undoes it`;
    case StepState.SUCCEEDED:
      return `undone by job ${jobId}`;
    case StepState.FAILED:
      return `not undone: ${reason}`;
    default:
      return '';
  }
}
