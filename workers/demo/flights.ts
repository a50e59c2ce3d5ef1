/** The data: 200,000 flights in the United States, collected by the U.S. Bureau of Transportation Statistics. */
import { readFile } from 'node:fs/promises';

/**
 * Arrival delay in minutes (early: negative), distance in miles, hour of departure as a decimal number (6.5 is 6:30).
 */
export type Flight = readonly [delay: number, distance: number, time: number];

const FILE = new URL('../../node_modules/vega-datasets/data/flights-200k.json', import.meta.url);

/** Reads the flights from the npm package `vega-datasets`, in the order of their hour of departure. */
export async function readFlights(): Promise<Flight[]> {
  const rows: { delay: number; distance: number; time: number }[] = JSON.parse(await readFile(FILE, 'utf8'));
  return rows.map(({ delay, distance, time }) => [delay, distance, time]);
}

/** Divides a list into pieces of `size`; the last one may be shorter. */
export function cut<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
