/** The expected table of the demo, computed from the flights in another way: from sorted delays instead of counts. */
import { readFileSync } from 'node:fs';

interface Row {
  readonly delay: number;
  readonly distance: number;
  readonly time: number;
}

const file = new URL('../../../node_modules/vega-datasets/data/flights-200k.json', import.meta.url);

const BANDS: readonly (readonly [label: string, from: number, below: number])[] = [
  ['under 250', 0, 250],
  ['250–499', 250, 500],
  ['500–749', 500, 750],
  ['750–999', 750, 1_000],
  ['1,000–1,499', 1_000, 1_500],
  ['1,500–1,999', 1_500, 2_000],
  ['2,000 or more', 2_000, Number.POSITIVE_INFINITY],
];

/** The rows of the table in their order, one text each: label, flights, mean, median, 90th, late. */
export function expectedRows(): string[] {
  const flights = JSON.parse(readFileSync(file, 'utf8')) as Row[];
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const two = String(hour).padStart(2, '0');
    return rowOf(
      `${two}:00–${two}:59`,
      flights.filter(({ time }) => Math.trunc(time) === hour),
    );
  });
  const bands = BANDS.map(([label, from, below]) =>
    rowOf(
      label,
      flights.filter(({ distance }) => distance >= from && distance < below),
    ),
  );
  return [...hours, ...bands, rowOf('all flights', flights)];
}

/** The rows of a printed table in the same form, without bars and padding. */
export function printedRows(table: string): string[] {
  return table
    .split('\n')
    .filter((line) => line.includes(' %'))
    .map((line) => line.replace(/ %.*/, '').replace(/ {2,}/g, ' | '));
}

function rowOf(label: string, flights: readonly Row[]): string {
  const delays = flights.map(({ delay }) => delay).sort((a, b) => a - b);
  let minutes = 0;
  for (const delay of delays) minutes += delay;
  const firstLate = delays.findIndex((delay) => delay > 15);
  const late = firstLate < 0 ? 0 : delays.length - firstLate;
  const at = (tenths: number) => delays[Math.ceil((delays.length * tenths) / 10) - 1];
  const number = delays.length.toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const cells = [(minutes / delays.length).toFixed(1), at(5), at(9), ((100 * late) / delays.length).toFixed(1)];
  return [label, number, ...cells].join(' | ');
}
