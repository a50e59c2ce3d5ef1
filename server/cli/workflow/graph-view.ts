/** The steps of a workflow as a tree. */
import { StepRole, type WorkflowStepRun } from '@muster-jobs/sdk/grpc';
import type { DrawnWorkflow } from '../../view/drawn-workflow.ts';
import { type Branch, treeOf } from '../../view/graph-layout.ts';
import { stepStateName } from '../../view/state-words.ts';
import { compensationText, progressText } from '../../view/workflow-words.ts';
import type { Output } from '../output/output.ts';
import { styledStepState } from '../output/states.ts';
import type { Column } from '../output/table.ts';
import { headline, noteLimits } from './drawn-workflow.ts';

const ROLES: Partial<Record<StepRole, string>> = {
  [StepRole.ON_FAILURE]: ' (on failure)',
  [StepRole.FINALLY]: ' (finally)',
};

export function showGraph(out: Output, drawn: DrawnWorkflow): void {
  out.line(headline(out, drawn));
  out.table(graphColumns(out), treeOf(drawn.steps));
  noteLimits(out, drawn);
}

export function graphColumns(out: Output): Column<Branch>[] {
  return [
    { title: 'STEP', value: ({ step, prefix, depth }) => `${prefix}${step.name}${depth === 0 ? roleText(step) : ''}` },
    {
      title: 'STATE',
      value: ({ step }) => stepStateName(step.state),
      style: (text, { step }) => styledStepState(out, step.state, text),
    },
    { title: 'DONE', value: ({ step }) => progressText(step) },
    { title: 'JOB', value: ({ step }) => step.jobId },
    { title: 'REMARK', value: ({ step }) => remark(step), min: 6 },
  ];
}

function roleText({ role }: WorkflowStepRun): string {
  return ROLES[role] ?? '';
}

/** Maximum needs that are named. */
const MAX_NEEDS = 10;

/** A step stands under the first step that it needs; the others are named, those of a prefix by the prefix. */
function remark({ reason, needs, needsPrefixes, compensation }: WorkflowStepRun): string {
  const all = [...needs.slice(1), ...needsPrefixes.map((prefix) => `${prefix}*`)];
  const more = all.length > MAX_NEEDS ? `, and ${all.length - MAX_NEEDS} more,` : '';
  const others = all.length > 0 ? `needs ${all.slice(0, MAX_NEEDS).join(', ')}${more} too` : '';
  return [reason, compensation ? compensationText(compensation) : '', others].filter(Boolean).join('; ');
}
