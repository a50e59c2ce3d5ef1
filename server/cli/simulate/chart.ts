/** Draws one run or two: waiting jobs by queue, and used slots, over time. */
import type { SimulationReport } from '../../tools/simulate/report/report-types.ts';
import { spanText } from '../../view/times.ts';
import { escaped, svg } from '../output/svg.ts';

export interface ChartedRun {
  readonly title: string;
  readonly report: SimulationReport;
}

const WIDTH = 900;
const LEFT = 70;
const RIGHT = 40;
const PANEL = 170;
const HEAD = 34;
const FOOT = 26;
/** Maximum queues with their own line; the others are summed up. */
const MAX_LINES = 6;
const colours = ['#c2410c', '#0369a1', '#15803d', '#a21caf', '#b45309', '#4f46e5', '#64748b'];

interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly most: number;
  /** A horizontal line, such as the number of all slots. */
  readonly bound?: number;
}

/** One self-contained SVG. All runs share the same scales. */
export function chart(runs: readonly ChartedRun[]): string {
  const spanMs = Math.max(1, ...runs.map(({ report }) => report.spanMs));
  const curves = runs.map(({ report }) => queueCurves(report));
  const mostWaiting = peak(curves.flat());
  const mostBusy = Math.max(1, ...runs.map(({ report }) => report.slots));
  const panels = runs.flatMap(({ title, report }, at) => [
    { stepMs: report.series.stepMs, title: `${title}: jobs that wait`, curves: curves[at] ?? [], most: mostWaiting },
    {
      stepMs: report.series.stepMs,
      title: `${title}: slots that are taken, of ${report.slots}`,
      curves: [{ name: 'taken', values: report.series.busy }],
      most: mostBusy,
      bound: report.slots,
    },
  ]);
  const height = panels.length * (HEAD + PANEL + FOOT) + 10;
  const drawn = panels.map((panel, at) => draw(panel, at * (HEAD + PANEL + FOOT), panel.stepMs, spanMs));
  const style =
    'text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:13px}.axis{stroke:#cbd5e1}' +
    '.bound{stroke:#94a3b8;stroke-dasharray:4 4}';
  return svg({ title: 'Simulated jobs', style, width: WIDTH, height, parts: drawn });
}

/** The queues with the most waiting jobs, and the sum of the others. */
function queueCurves({ series }: SimulationReport): Curve[] {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const all = Object.entries(series.waiting).map(([name, values]) => ({ name, values }));
  const ranked = all.sort((a, b) => sum(b.values) - sum(a.values) || (a.name < b.name ? -1 : 1));
  const [own, others] = [ranked.slice(0, MAX_LINES), ranked.slice(MAX_LINES)];
  if (others.length === 0) return own;
  const together = series.busy.map((_, at) => others.reduce((total, { values }) => total + (values[at] ?? 0), 0));
  return [...own, { name: `${others.length} other queues`, values: together }];
}

function peak(curves: readonly Curve[]): number {
  return Math.max(1, ...curves.map(({ values }) => Math.max(0, ...values)));
}

/** The positions of values and times in a panel. */
interface Scale {
  readonly top: number;
  readonly base: number;
  readonly x: (ms: number) => string;
  readonly y: (value: number) => string;
}

function draw(panel: Panel, top: number, stepMs: number, spanMs: number): string {
  const base = top + HEAD + PANEL;
  const scale: Scale = {
    top,
    base,
    x: (ms) => (LEFT + (Math.min(ms, spanMs) / spanMs) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (value) => (base - (value / panel.most) * PANEL).toFixed(1),
  };
  const title = `<text class="title" x="8" y="${top + 20}">${escaped(panel.title)}</text>`;
  const curves = panel.curves.flatMap((curve, at) => drawCurve(curve, at, stepMs, scale));
  return [title, ...drawAxes(panel, spanMs, scale), ...curves].join('\n');
}

function drawAxes({ most, bound }: Panel, spanMs: number, { base, x, y }: Scale): string[] {
  const right = WIDTH - RIGHT;
  const values = [0, most / 2, most].map(
    (value) => `<text x="${LEFT - 6}" y="${y(value)}" dy="4" text-anchor="end">${label(value)}</text>`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(share * spanMs)}" y="${base + 16}" text-anchor="middle">${spanText(share * spanMs)}</text>`,
  );
  const line = `<line class="axis" x1="${LEFT}" y1="${base}" x2="${right}" y2="${base}"/>`;
  if (bound === undefined) return [line, ...values, ...times];
  const across = `<line class="bound" x1="${LEFT}" y1="${y(bound)}" x2="${right}" y2="${y(bound)}"/>`;
  return [line, ...values, ...times, across];
}

function drawCurve({ name, values }: Curve, at: number, stepMs: number, { top, x, y }: Scale): string[] {
  const colour = colours[at % colours.length];
  const points = values.map((value, step) => `${x((step + 0.5) * stepMs)},${y(value)}`).join(' ');
  const place = `x="${WIDTH - RIGHT}" y="${top + 20 + at * 14}" text-anchor="end"`;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points}"/>`,
    `<text ${place} style="fill:${colour}">${escaped(name)}</text>`,
  ];
}

function label(value: number): string {
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
