/** Draws the graph of a workflow: a box per step, to the right of those that it needs. */
import type { WorkflowStepRun } from '@muster-jobs/sdk/grpc';
import type { DrawnWorkflow } from '../../view/drawn-workflow.ts';
import { type Cell, cellsOf } from '../../view/graph-routes.ts';
import { stepStateName } from '../../view/state-words.ts';
import { colourOf } from '../../view/step-colours.ts';
import { progressText } from '../../view/workflow-words.ts';
import { escaped, svg } from '../output/svg.ts';
import { cutTo } from '../output/width.ts';

const [BOX, HIGH, ACROSS, DOWN, LINE, EDGE, HEAD] = [180, 40, 240, 56, 14, 16, 40];
/** Maximum columns per row; further columns go to the next row. */
const MAX_ACROSS = 12;
/** Maximum letters in a box: of a name, and of the text below it. */
const [LETTERS, SMALL_LETTERS] = [22, 27];
const STYLE =
  'text{font:12px sans-serif;fill:#111}.head{font-weight:bold}.small{font-size:10px;fill:#475569}' +
  'path{fill:none;stroke:#94a3b8}';

interface Position {
  readonly column: number;
  readonly x: number;
  /** Vertical middle of the box. */
  readonly y: number;
  /** Below everything in the same row. */
  readonly foot: number;
}

/** By column, then by name. */
type Positions = readonly ReadonlyMap<string, Position>[];

export function graphSvg({ job, steps }: DrawnWorkflow): string {
  const cells = cellsOf(steps);
  const { positions, height } = positionsOf(cells);
  const title = `${job.definition}@${job.definitionVersion} ${job.jobId}`;
  return svg({
    title,
    style: STYLE,
    width: Math.max(Math.min(cells.length, MAX_ACROSS) * ACROSS - (ACROSS - BOX) + 2 * EDGE, 480),
    height,
    parts: [
      `<text class="head" x="${EDGE}" y="24">${escaped(title)}</text>`,
      ...cells.flatMap((column, i) => column.flatMap((cell) => linesTo(cell, i, positions))),
      ...cells.flatMap((column, i) =>
        column.flatMap(({ name, step }) => (step ? box(step, positionOf(positions, i, name)) : [])),
      ),
    ],
  });
}

function positionsOf(cells: readonly (readonly Cell[])[]): { readonly positions: Positions; readonly height: number } {
  const positions: Map<string, Position>[] = [];
  let top = HEAD;
  for (let first = 0; first < cells.length; first += MAX_ACROSS) {
    const band = cells.slice(first, first + MAX_ACROSS);
    const foot = top + Math.max(...band.map((column) => column.reduce((sum, cell) => sum + heightOf(cell), 0)));
    for (const [i, column] of band.entries()) {
      let y = top;
      const inColumn = new Map<string, Position>();
      for (const cell of column) {
        const middle = y + (cell.step ? HIGH : LINE) / 2;
        inColumn.set(cell.name, { column: first + i, x: EDGE + i * ACROSS, y: middle, foot });
        y += heightOf(cell);
      }
      positions.push(inColumn);
    }
    top = foot + EDGE;
  }
  return { positions, height: top };
}

function heightOf({ step }: Cell): number {
  return step ? DOWN : LINE;
}

function positionOf(positions: Positions, column: number, name: string): Position {
  const position = positions[column]?.get(name);
  if (!position) throw new Error(`step ${name} has no place in column ${column} of the drawing`);
  return position;
}

/** Lines to a box from those of its needs that are drawn, or a line that continues from the previous column. */
function linesTo({ name, step }: Cell, column: number, positions: Positions): string[] {
  const to = positionOf(positions, column, name);
  const on = step ? '' : `H${to.x + BOX}`;
  return (step ? step.needs : [name]).flatMap((need) => {
    const from = positions[column - 1]?.get(need) ?? positions.find((one) => one.has(need))?.get(need);
    return from ? [`<path d="${curve(from, to)}${on}"/>`] : [];
  });
}

/** A line to the next row of columns passes between the two rows. */
function curve(from: Position, to: Position): string {
  const x = from.x + BOX;
  if (from.foot !== to.foot) {
    const [right, left, between] = [x + EDGE / 2, to.x - EDGE / 2, from.foot + EDGE / 2];
    return `M${x} ${from.y}H${right}V${between}H${left}V${to.y}H${to.x}`;
  }
  const middle = x + (ACROSS - BOX) / 2;
  return `M${x} ${from.y}C${middle} ${from.y} ${to.x - (middle - x)} ${to.y} ${to.x} ${to.y}`;
}

function box(step: WorkflowStepRun, { x, y: middle }: Position): string {
  const { fill, stroke } = colourOf(step.state);
  const y = middle - HIGH / 2;
  const words = [stepStateName(step.state), progressText(step)].filter(Boolean).join(' ');
  const tooltip = [step.name, words, step.reason, step.jobId].filter(Boolean).join('\n');
  return [
    `<g><title>${escaped(tooltip)}</title>`,
    `<rect x="${x}" y="${y}" width="${BOX}" height="${HIGH}" rx="6" fill="${fill}" stroke="${stroke}"/>`,
    `<text x="${x + 10}" y="${y + 17}">${escaped(cutTo(LETTERS, step.name))}</text>`,
    `<text class="small" x="${x + 10}" y="${y + 31}">${escaped(cutTo(SMALL_LETTERS, words))}</text></g>`,
  ].join('');
}
