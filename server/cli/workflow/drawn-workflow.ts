/** A workflow with its steps, for drawing. */
import { type Job, StepState, type Workflow, type WorkflowStepRun } from '@muster/sdk/grpc';
import type { Connection } from '../connection.ts';
import type { Output } from '../output/output.ts';
import { stepStateName, styledState } from '../output/states.ts';
import { countText } from '../output/times.ts';
import { allPages } from '../pages.ts';
import { present } from '../require-field.ts';
import { howFarText } from './how-far.ts';

/** Maximum steps in a drawing: a screen shows no more. */
export const MAX_DRAWN = 500;

export interface DrawnWorkflow {
  readonly workflow: Workflow;
  readonly job: Job;
  /** The first steps, in the order of the definition. */
  readonly steps: readonly WorkflowStepRun[];
}

/** At most `MAX_DRAWN` steps, or one page more. */
export async function readWorkflow(
  { namespace, workflows }: Connection,
  jobId: string,
  most: number,
): Promise<DrawnWorkflow> {
  const workflow = present((await workflows.getWorkflow({ namespace, jobId })).workflow, 'workflow');
  const steps: WorkflowStepRun[] = [];
  for await (const page of allPages((pageToken, pageSize) =>
    workflows.listWorkflowSteps({ namespace, jobId, pageToken, pageSize: Math.min(pageSize, most) }),
  )) {
    steps.push(...page.steps);
    if (steps.length >= most) break;
  }
  return { workflow, job: present(workflow.job, 'job'), steps: steps.slice(0, most) };
}

/** The line above a drawing: the workflow and its progress. */
export function headline(out: Output, { workflow, job }: DrawnWorkflow, nowMs = Date.now()): string {
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
  const name = `${job.definition}@${job.definitionVersion}`;
  const isRunning = workflow.phase !== 0 && job.endTime === undefined;
  return `${out.styled('bold', name)}  job ${job.jobId}  ${styledState(out, job.state)}  ${countText(workflow.stepCount, 'step')}: ${shown.join(', ')}${isRunning ? `\n${howFarText(workflow, nowMs)}` : ''}`;
}

/** Notes what a drawing leaves out, and why nothing happens. */
export function noteLimits(out: Output, { workflow, job, steps }: DrawnWorkflow): void {
  if (steps.length < workflow.stepCount)
    out.note(`The first ${steps.length} of ${countText(workflow.stepCount, 'step')} are drawn; --json has all of them`);
  if (workflow.phase === 0 && job.endTime === undefined)
    out.note(`It has not been started: muster explain ${job.jobId} shows the reason`);
}

/** Progress of a fan-out or a loop, or that the result is an earlier job's; empty for other steps. */
export function progressText({ fanOut, iterationCount: iteration, cached }: WorkflowStepRun): string {
  if (cached) return 'cached';
  if (!fanOut) return iteration > 0 ? `pass ${iteration + 1}` : '';
  const failed = fanOut.failedCount > 0 ? `, ${fanOut.failedCount} failed` : '';
  return `${fanOut.succeededCount}/${fanOut.itemCount}${failed}${fanOut.startedCount < fanOut.itemCount ? `, ${fanOut.startedCount} started` : ''}`;
}
