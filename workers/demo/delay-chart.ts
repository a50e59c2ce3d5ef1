/** The chart: the share of late flights by hour of departure and by distance, as an SVG document. */
import { allOf, BANDS, type Counts, type DelayCounts, LATE_AFTER, type Summary, summarise } from './delay-counts.ts';

/** A share of fewer flights than this is not significant: it is only in the table. */
const FEWEST_FLIGHTS = 500;
/** The hour at which the airlines' day begins. */
const FIRST_HOUR = 4;

const WIDTH = 1_080;
const HEIGHT = 590;
const NOTE = `– fewer than ${FEWEST_FLIGHTS} flights: see the table. Data: U.S. Bureau of Transportation Statistics, from the npm package vega-datasets.`;
const COLOR = { ink: '#1f2933', quiet: '#5f6b77', grid: '#e4e8ec', late: '#c2410c', flights: '#9aa8b5' } as const;
const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/** Bars over one axis. Positions are in pixels. */
interface Plot {
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly bottom: number;
  readonly color: string;
  /** One value per bar; `undefined` leaves a gap. */
  readonly values: readonly (number | undefined)[];
  /** Distance between grid lines; the topmost line is at `highest` or above. */
  readonly step: number;
  readonly highest: number;
  readonly tick: (value: number) => string;
  /** Text above each bar; empty: none. */
  readonly note: (value: number | undefined) => string;
}

export function delayChart(counts: DelayCounts): string {
  const flights = grouped(summarise(allOf(counts.hours)).flights);
  const panels = [hoursPanel(counts), distancePanel(counts)];
  const shares = panels.flatMap(({ groups }) => groups.map(({ summary }) => shareOf(summary) ?? 0));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="${FONT}">`,
    '<title>Late flights by hour of departure and by distance</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(40, 48, 'The later the hour, the later the flight', { size: 24, weight: 600 }),
    text(40, 74, `Share of ${flights} flights in the United States that arrived more than ${LATE_AFTER} minutes late`, {
      size: 15,
      color: COLOR.quiet,
    }),
    // One scale for both panels, so that their bars can be compared.
    ...panels.flatMap((panel) => drawPanel(panel, Math.max(...shares))),
    text(40, HEIGHT - 20, NOTE, { size: 11, color: COLOR.quiet }),
    '</svg>',
    '',
  ].join('\n');
}

interface Panel {
  readonly left: number;
  readonly width: number;
  readonly heading: string;
  /** Unit of the labels. */
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly summary: Summary | undefined }[];
}

function hoursPanel({ hours }: DelayCounts): Panel {
  const groups = Array.from({ length: 24 }, (_, index) => {
    const hour = (FIRST_HOUR + index) % 24;
    return { label: String(hour), summary: summaryOf(hours[hour]) };
  });
  return { left: 92, width: 620, heading: 'By hour of departure', unit: 'hour of departure, local time', groups };
}

function distancePanel({ bands }: DelayCounts): Panel {
  const groups = BANDS.map((label, band) => ({ label: lowerEnd(label), summary: summaryOf(bands[band]) }));
  return { left: 792, width: 252, heading: 'By distance', unit: 'miles, lower end of the band', groups };
}

/** Two plots over the same groups: the shares, and below them the number of flights of each. */
function drawPanel({ left, width, heading, unit, groups }: Panel, highestShare: number): string[] {
  const shares: Plot = {
    ...{ left, width, top: 142, bottom: 390, color: COLOR.late, step: 10, highest: highestShare },
    values: groups.map(({ summary }) => shareOf(summary)),
    tick: (value) => `${value} %`,
    note: (value) => (value === undefined ? '–' : String(Math.round(value))),
  };
  const most = Math.max(...groups.map(({ summary }) => summary?.flights ?? 0));
  const flights: Plot = {
    ...{
      left,
      width,
      top: 478,
      bottom: 528,
      color: COLOR.flights,
      step: most > 20_000 ? 30_000 : 7_000,
      highest: most,
    },
    values: groups.map(({ summary }) => summary?.flights ?? 0),
    tick: grouped,
    note: () => '',
  };
  return [
    text(left, 120, heading, { size: 14, weight: 600 }),
    ...draw(shares),
    ...groups.map(({ label }, index) => text(center(shares, index), 408, label, { size: 11, anchor: 'middle' })),
    text(left + width / 2, 428, unit, { size: 12, color: COLOR.quiet, anchor: 'middle' }),
    text(left, 462, 'Number of flights', { size: 12, weight: 600, color: COLOR.quiet }),
    ...draw(flights),
  ];
}

function draw(plot: Plot): string[] {
  const lines = Math.ceil(plot.highest / plot.step);
  const y = (value: number) => plot.bottom - ((plot.bottom - plot.top) * value) / (lines * plot.step);
  const grid = Array.from({ length: lines + 1 }, (_, line) => gridLine(plot, y(line * plot.step), line * plot.step));
  const bars = plot.values.map((value, index) => bar(plot, index, value, y(value ?? 0)));
  return [...grid, ...bars].flat();
}

function gridLine(plot: Plot, y: number, value: number): string[] {
  const color = value === 0 ? COLOR.quiet : COLOR.grid;
  return [
    `<line x1="${plot.left}" x2="${plot.left + plot.width}" y1="${round(y)}" y2="${round(y)}" stroke="${color}"/>`,
    text(plot.left - 8, y + 4, plot.tick(value), { size: 11, color: COLOR.quiet, anchor: 'end' }),
  ];
}

function bar(plot: Plot, index: number, value: number | undefined, y: number): string[] {
  const width = (plot.width / plot.values.length) * 0.72;
  const place = `x="${round(center(plot, index) - width / 2)}" y="${round(y)}"`;
  const note = plot.note(value);
  return [
    ...(value
      ? [`<rect ${place} width="${round(width)}" height="${round(plot.bottom - y)}" fill="${plot.color}"/>`]
      : []),
    ...(note ? [text(center(plot, index), y - 5, note, { size: 11, anchor: 'middle' })] : []),
  ];
}

function center(plot: Plot, index: number): number {
  return plot.left + (plot.width / plot.values.length) * (index + 0.5);
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function text(
  x: number,
  y: number,
  content: string,
  { size, weight = 400, color = COLOR.ink, anchor = 'start' }: TextStyle,
): string {
  const place = `x="${round(x)}" y="${round(y)}"`;
  return `<text ${place} font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}

function summaryOf(counts: Counts | undefined): Summary | undefined {
  return counts && summarise(counts);
}

/** In percent. `undefined`: too few flights. */
function shareOf(summary: Summary | undefined): number | undefined {
  return summary && summary.flights >= FEWEST_FLIGHTS ? summary.late * 100 : undefined;
}

/** "250–499" begins at 250. */
function lowerEnd(band: string): string {
  return band.startsWith('under') ? '0' : band.replace(/[– ].*/, '');
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
