/** The data: flights in the United States in 2008 by route, from the npm package `vega-datasets`. */
import { readFile } from 'node:fs/promises';

export interface Airport {
  /** Three letters. */
  readonly code: string;
  readonly city: string;
  /** In degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/** A direct flight from one airport to another. */
export interface Route {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
}

/** Result of `read-routes`, and input of all steps that analyze it. */
export interface Network {
  /** Airports with at least one flight. */
  readonly airports: readonly Airport[];
  /** In alphabetical order. */
  readonly routes: readonly Route[];
}

const FOLDER = new URL('../../../node_modules/vega-datasets/data/', import.meta.url);
/** The text between commas; quoted text may contain commas. */
const FIELD = /"([^"]*)"|([^,]+)|(?<=,|^)(?=,|$)/g;

export async function readNetwork(): Promise<Network> {
  const [airports, routes] = await Promise.all([readRows('airports.csv'), readRows('flights-airport.csv')]);
  const network = routes.map(([from = '', to = '', flights]) => ({ from, to, flights: Number(flights) }));
  const flown = new Set(network.flatMap(({ from, to }) => [from, to]));
  return { airports: airports.filter(([code = '']) => flown.has(code)).map(airportOf), routes: network };
}

function airportOf([code = '', , city = '', , , latitude, longitude]: readonly string[]): Airport {
  return { code, city, latitude: Number(latitude), longitude: Number(longitude) };
}

/** Without the header. */
async function readRows(name: string): Promise<string[][]> {
  const [, ...lines] = (await readFile(new URL(name, FOLDER), 'utf8')).trim().split('\n');
  return lines.map((line) => [...line.matchAll(FIELD)].map(([field, quoted]) => quoted ?? field));
}
