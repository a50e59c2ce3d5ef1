/** The table, as text. */
import { allOf, BANDS, type Counts, type DelayCounts, LATE_AFTER, type Summary, summarise } from './delay-counts.ts';

const BAR_WIDTH = 20;
const COLUMNS = ['flights', 'mean', 'median', '90th', 'late'] as const;
const LABEL_WIDTH = 14;
const WIDTHS = [10, 9, 9, 9, 11] as const;

export function delayTable(counts: DelayCounts): string {
  const hours = Array.from({ length: 24 }, (_, hour) => [hourLabel(hour), counts.hours[hour]] as const);
  const bands = BANDS.map((label, band) => [label, counts.bands[band]] as const);
  return [
    'Arrival delay in minutes by hour of departure',
    ...section('hour', hours),
    '',
    'Arrival delay in minutes by distance',
    ...section('miles', bands),
    '',
    ...section('', [['all flights', allOf(counts.hours)]]).slice(2),
    '',
    'median, 90th  the lowest delay that half, nine in ten, of the flights do not exceed; early flights count below 0',
    `late          share of the flights that arrived more than ${LATE_AFTER} minutes late`,
    '',
  ].join('\n');
}

function section(heading: string, groups: readonly (readonly [string, Counts | undefined])[]): string[] {
  const rows = groups.map(([label, counts]) =>
    counts === undefined ? row(label, []) : figures(label, summarise(counts)),
  );
  const head = row(heading, COLUMNS);
  return [head, '─'.repeat(head.length + 2 + BAR_WIDTH), ...rows];
}

function figures(label: string, { flights, mean, median, ninetieth, late }: Summary): string {
  const cells = [
    flights.toLocaleString('en-US'),
    decimal(mean),
    String(median),
    String(ninetieth),
    `${decimal(late * 100)} %`,
  ];
  return `${row(label, cells)}  ${'█'.repeat(Math.round(late * BAR_WIDTH))}`.trimEnd();
}

function row(label: string, cells: readonly string[]): string {
  return label.padEnd(LABEL_WIDTH) + cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0)).join('');
}

/** One decimal place, and never "-0.0". */
function decimal(value: number): string {
  const text = value.toFixed(1);
  return text === '-0.0' ? '0.0' : text;
}

function hourLabel(hour: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(hour)}:00–${two(hour)}:59`;
}
