/** Positions of a workflow's steps in a drawing. Steps that are not drawn are ignored. */
import { StepRole } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import type { WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { withDrawnNeeds } from './drawn-needs.ts';

export interface Branch {
  readonly step: WorkflowStepRun;
  /** Number of ancestors in the tree. */
  readonly depth: number;
  /** The tree's lines before it, such as `│  └─ `. */
  readonly prefix: string;
}

/** Maximum levels that are indented; chains may be thousands of steps long. */
const MAX_LEVELS = 12;

/** Each step under the first step that it needs, siblings in the order of the definition. */
export function treeOf(steps: readonly WorkflowStepRun[]): Branch[] {
  const drawn = new Map(withDrawnNeeds(steps).map(({ name, needs }) => [name, needs]));
  const first = ({ name, needs }: WorkflowStepRun) => needs[0] ?? drawn.get(name)?.[0] ?? '';
  const above = (step: WorkflowStepRun) => (drawn.has(first(step)) ? first(step) : '');
  const below = Map.groupBy(steps, above);
  const branches: Branch[] = [];
  // A stack, not a recursion: a chain may be as long as the drawing.
  const open = rowsOf(below.get('') ?? [], 0, '');
  for (let row = open.pop(); row; row = open.pop()) {
    branches.push(row);
    open.push(...rowsOf(below.get(row.step.name) ?? [], row.depth + 1, lineBelow(row)));
  }
  return branches;
}

/** Reversed, because they are taken from the end. */
function rowsOf(steps: readonly WorkflowStepRun[], depth: number, line: string): Branch[] {
  const fork = (i: number) => (depth === 0 ? '' : i === steps.length - 1 ? '└─ ' : '├─ ');
  return steps.map((step, i) => ({ step, depth, prefix: line + fork(i) })).reverse();
}

function lineBelow({ prefix, depth }: Branch): string {
  const line = prefix.replace('├─ ', '│  ').replace('└─ ', '   ');
  return depth < MAX_LEVELS ? line : `${line.slice(0, 3 * (MAX_LEVELS - 1))}⋯  `.slice(0, 3 * MAX_LEVELS);
}

/** The steps, with their drawn needs only, by column: each after all that it needs, and after all steps of earlier phases. */
export function columnsOf(steps: readonly WorkflowStepRun[]): WorkflowStepRun[][] {
  const columns: WorkflowStepRun[][] = [];
  const drawn = withDrawnNeeds(steps);
  for (const role of [StepRole.NORMAL, StepRole.ON_FAILURE, StepRole.FINALLY]) {
    const first = columns.length;
    const column = new Map<string, number>();
    for (const step of inOrder(drawn.filter((one) => one.role === role))) {
      const at = Math.max(first, ...step.needs.map((name) => (column.get(name) ?? first - 1) + 1));
      column.set(step.name, at);
      columns[at] = [...(columns[at] ?? []), step];
    }
  }
  return columns;
}

/** Each after those that it needs, whatever the order of the definition. */
function inOrder(steps: readonly WorkflowStepRun[]): WorkflowStepRun[] {
  const needed = new Map(steps.map(({ name, needs }) => [name, needs.length]));
  const after = new Map<string, WorkflowStepRun[]>(steps.map(({ name }) => [name, []]));
  for (const step of steps) for (const need of step.needs) after.get(need)?.push(step);
  const free = steps.filter(({ name }) => needed.get(name) === 0);
  // The list grows while it is read.
  for (const { name } of free)
    for (const next of after.get(name) ?? []) {
      const left = (needed.get(next.name) ?? 0) - 1;
      needed.set(next.name, left);
      if (left === 0) free.push(next);
    }
  return free;
}
