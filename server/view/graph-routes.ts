/** The columns of a drawing with the lines that pass through them, so that no line runs behind a box. */
import type { WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { columnsOf } from './graph-layout.ts';

/** A box, or the line from a step to those that need it in later columns: one line for all of them. */
export interface Cell {
  /** Name of the step. */
  readonly name: string;
  /** Undefined: this is its line. */
  readonly step: WorkflowStepRun | undefined;
}

/** With more lines nobody can follow any: then lines are drawn straight. */
const MAX_LINES = 2_000;

export function cellsOf(steps: readonly WorkflowStepRun[]): Cell[][] {
  const columns = columnsOf(steps);
  const lines = linesThrough(columns);
  const cells = columns.map((column, i) => [
    ...column.map((step): Cell => ({ name: step.name, step })),
    ...(lines[i] ?? []).map((name): Cell => ({ name, step: undefined })),
  ]);
  return arranged(cells);
}

/** For each column, the steps whose lines pass through it. */
function linesThrough(columns: readonly (readonly WorkflowStepRun[])[]): string[][] {
  const columnOf = new Map(columns.flatMap((column, i) => column.map(({ name }) => [name, i] as const)));
  const reach = new Map<string, number>();
  for (const [i, column] of columns.entries())
    for (const { needs } of column) for (const need of needs) reach.set(need, i);
  const lines: string[][] = columns.map(() => []);
  let count = 0;
  for (const [name, last] of reach) {
    const first = columnOf.get(name);
    if (first === undefined) continue;
    count += Math.max(0, last - first - 1);
    if (count > MAX_LINES) return [];
    for (let i = first + 1; i < last; i++) lines[i]?.push(name);
  }
  return lines;
}

/** Each cell near its origin in the previous column, so that few lines cross. */
function arranged(columns: readonly (readonly Cell[])[]): Cell[][] {
  let before = new Map<string, number>();
  return columns.map((column) => {
    const pull = new Map(column.map((cell, i) => [cell, middleOf(cell, before) ?? i]));
    const sorted = column.toSorted((a, b) => (pull.get(a) ?? 0) - (pull.get(b) ?? 0));
    before = new Map(sorted.map(({ name }, i) => [name, i]));
    return sorted;
  });
}

function middleOf({ name, step }: Cell, before: ReadonlyMap<string, number>): number | undefined {
  const places = (step ? step.needs : [name]).map((one) => before.get(one)).filter((at) => at !== undefined);
  return places.length > 0 ? places.reduce((sum, at) => sum + at, 0) / places.length : undefined;
}
