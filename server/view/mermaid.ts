/** The graph of a workflow as Mermaid text, which documentation and issue trackers can draw. */
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { withDrawnNeeds } from './drawn-needs.ts';
import type { DrawnWorkflow } from './drawn-workflow.ts';
import { stepStateName } from './state-words.ts';
import { colourOf } from './step-colours.ts';
import { progressText } from './workflow-words.ts';

const STATES = Object.values(StepState).filter((state) => typeof state === 'number' && state !== 0) as StepState[];

/** Names of steps need no quoting. */
export function mermaid({ steps }: DrawnWorkflow): string {
  const numbers = new Map(steps.map(({ name, number }) => [name, number]));
  const nodes = steps.map((step) => {
    const words = [step.name, stepStateName(step.state), progressText(step)].filter(Boolean);
    return `  s${step.number}["${words.join('<br/>')}"]:::${stepStateName(step.state)}`;
  });
  const edges = withDrawnNeeds(steps).flatMap(({ number, needs }) =>
    needs.map((name) => `  s${numbers.get(name)} --> s${number}`),
  );
  const used = STATES.filter((one) => steps.some(({ state }) => state === one));
  const classes = used.map((state) => {
    const { fill, stroke } = colourOf(state);
    return `  classDef ${stepStateName(state)} fill:${fill},stroke:${stroke},color:#111`;
  });
  return `${['flowchart LR', ...nodes, ...edges, ...classes].join('\n')}\n`;
}
