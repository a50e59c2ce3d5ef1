/** Reads a workflow for drawing, with the texts above and below the drawing. */
import type { WorkflowStepRun } from '@muster-jobs/sdk/grpc';
import { drawnSteps } from '../../view/drawn-steps.ts';
import type { DrawnWorkflow } from '../../view/drawn-workflow.ts';
import { countText } from '../../view/times.ts';
import { howFarText, stepCountsText } from '../../view/workflow-words.ts';
import type { Connection } from '../connection.ts';
import type { Output } from '../output/output.ts';
import { styledState } from '../output/states.ts';
import { allPages } from '../pages.ts';
import { present } from '../require-field.ts';

/** Maximum steps in a drawing: a screen shows no more. */
export const MAX_DRAWN = 500;

/** With at most `most` of its steps, see `drawnSteps`. */
export async function readWorkflow(
  { namespace, workflows }: Connection,
  jobId: string,
  most: number,
): Promise<DrawnWorkflow> {
  const workflow = present((await workflows.getWorkflow({ namespace, jobId })).workflow, 'workflow');
  const steps: WorkflowStepRun[] = [];
  for await (const page of allPages((pageToken, pageSize) =>
    workflows.listWorkflowSteps({ namespace, jobId, pageToken, pageSize }),
  ))
    steps.push(...page.steps);
  return { workflow, job: present(workflow.job, 'job'), steps: drawnSteps(steps, most) };
}

/** The line above a drawing: the workflow and its progress. */
export function headline(out: Output, { workflow, job }: DrawnWorkflow, nowMs = Date.now()): string {
  const name = `${job.definition}@${job.definitionVersion}`;
  const isRunning = workflow.phase !== 0 && job.endTime === undefined;
  return `${out.styled('bold', name)}  job ${job.jobId}  ${styledState(out, job.state)}  ${countText(workflow.stepCount, 'step')}: ${stepCountsText(workflow)}${isRunning ? `\n${howFarText(workflow, nowMs)}` : ''}`;
}

/** Notes what a drawing leaves out, and why nothing happens. */
export function noteLimits(out: Output, { workflow, job, steps }: DrawnWorkflow): void {
  if (steps.length < workflow.stepCount)
    out.note(
      `${steps.length} of ${countText(workflow.stepCount, 'step')} are drawn, those that failed and those that run first; --json has all of them`,
    );
  if (workflow.phase === 0 && job.endTime === undefined)
    out.note(`It has not been started: muster explain ${job.jobId} shows the reason`);
}
