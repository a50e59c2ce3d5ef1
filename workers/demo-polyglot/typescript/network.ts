/** The data: who flew where how often in the United States in 2008, from the npm package `vega-datasets`. */
import { readFile } from 'node:fs/promises';

export interface Airport {
  /** Three letters. */
  readonly code: string;
  readonly city: string;
  /** In degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/** From one airport to another, without a stop. */
export interface Route {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
}

/** Result of `read-routes`, and input of all who count: each takes of it what it needs. */
export interface Network {
  /** Those that are flown from or to. */
  readonly airports: readonly Airport[];
  /** In the order of the alphabet. */
  readonly routes: readonly Route[];
}

const FOLDER = new URL('../../../node_modules/vega-datasets/data/', import.meta.url);
/** What stands between commas; with quotes around it, it may hold some. */
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

/** Without the heading. */
async function readRows(name: string): Promise<string[][]> {
  const [, ...lines] = (await readFile(new URL(name, FOLDER), 'utf8')).trim().split('\n');
  return lines.map((line) => [...line.matchAll(FIELD)].map(([field, quoted]) => quoted ?? field));
}
