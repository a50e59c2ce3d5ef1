/** The expected report of the polyglot demo, computed from the data in other ways than the workers do. */
import { readFileSync } from 'node:fs';

interface Route {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
}

interface Place {
  readonly city: string;
  /** In radians. */
  readonly latitude: number;
  readonly longitude: number;
}

const EARTH_MILES = 3_958.8;
const data = new URL('../../../node_modules/vega-datasets/data/', import.meta.url);

/**
 * The report's lines by their first words. `connections` comes without its example, for which several journeys are
 * right.
 */
export function expectedReport(): Readonly<Record<string, string>> {
  const routes = readRoutes();
  return {
    busiest: busiest(routes),
    distances: distances(routes),
    connections: connections(routes),
    balance: balance(routes),
    destinations: destinations(routes),
  };
}

/** The lines of a printed report by their first words; it precedes the table of the steps. */
export function printedReport(output: string): Record<string, string> {
  const [report = ''] = output.split(/^step +language/m);
  const line = /^(busiest|distances|connections|balance|destinations) +(.+)$/gm;
  return Object.fromEntries([...report.matchAll(line)].map(([, label = '', text = '']) => [label, text]));
}

/** Whether a journey, such as `ABE–ATL–JFK`, exists and takes that many flights. */
export function isJourney(journey: string, flights: number): boolean {
  const flown = new Set(readRoutes().map(({ from, to }) => `${from}–${to}`));
  const stops = journey.split('–');
  return stops.length === flights + 1 && stops.slice(1).every((stop, i) => flown.has(`${stops[i]}–${stop}`));
}

function readRoutes(): Route[] {
  const [, ...lines] = readFileSync(new URL('flights-airport.csv', data), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [from = '', to = '', flights] = line.split(',');
    return { from, to, flights: Number(flights) };
  });
}

/** Neither the last five fields of a line nor the first one contain a comma in this file. */
function readPlaces(): Map<string, Place> {
  const [, ...lines] = readFileSync(new URL('airports.csv', data), 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const fields = line.split(',');
      const [city = '', , , latitude, longitude] = fields.slice(-5);
      const radians = (degrees?: string) => (Number(degrees) * Math.PI) / 180;
      return [fields[0] ?? '', { city, latitude: radians(latitude), longitude: radians(longitude) }];
    }),
  );
}

const grouped = (value: number) => value.toString().replace(/\B(?=(\d{3})+$)/g, ',');

function firstFive(counts: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, 5);
}

function busiest(routes: readonly Route[]): string {
  const counts = new Map<string, number>();
  for (const { from, to, flights } of routes)
    for (const airport of [from, to]) counts.set(airport, (counts.get(airport) ?? 0) + flights);
  const places = readPlaces();
  return firstFive(counts)
    .map(([code, flights]) => `${places.get(code)?.city} (${code}) ${grouped(flights)}`)
    .join(', ');
}

function destinations(routes: readonly Route[]): string {
  const counts = new Map<string, number>();
  for (const { from } of routes) counts.set(from, (counts.get(from) ?? 0) + 1);
  return firstFive(counts)
    .map(([code, number]) => `${code} ${number}`)
    .join(', ');
}

/** By the law of cosines. */
function distances(routes: readonly Route[]): string {
  const places = readPlaces();
  const flown = routes
    .map(({ from, to, flights }) => {
      const [a, b] = [places.get(from), places.get(to)];
      if (!a || !b) throw new Error(`no place of ${from} or ${to}`);
      const turn = Math.cos(a.longitude - b.longitude);
      const cosine = Math.sin(a.latitude) * Math.sin(b.latitude) + Math.cos(a.latitude) * Math.cos(b.latitude) * turn;
      return { from, to, flights, miles: EARTH_MILES * Math.acos(Math.min(1, cosine)) };
    })
    .sort((a, b) => a.miles - b.miles);
  const all = flown.reduce((sum, { flights }) => sum + flights, 0);
  const at = (share: number) => {
    let left = all * share;
    for (const { flights, miles } of flown) {
      left -= flights;
      if (left <= 0) return grouped(Math.round(miles));
    }
    throw new Error('there are no flights');
  };
  const longest = Math.max(...flown.map(({ miles }) => miles));
  const [first] = flown.filter(({ miles }) => longest - miles < 0.001).sort((a, b) => (a.from < b.from ? -1 : 1));
  return `half of the flights go ${at(0.5)} miles or less, nine in ten ${at(0.9)}; ${first?.from}–${first?.to} is ${grouped(Math.round(longest))}`;
}

/** By sets that are extended flight by flight. */
function connections(routes: readonly Route[]): string {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of routes) next.set(from, (next.get(from) ?? new Set()).add(to));
  const airports = new Set(routes.flatMap(({ from, to }) => [from, to]));
  const pairs: number[] = [];
  for (const start of airports) {
    let reached = new Set([start]);
    for (let flights = 1; ; flights++) {
      const further = new Set([...reached].flatMap((from) => [from, ...(next.get(from) ?? [])]));
      if (further.size === reached.size) break;
      pairs[flights] = (pairs[flights] ?? 0) + further.size - reached.size;
      reached = further;
    }
  }
  const numbers = pairs.flatMap((number, flights) => `${flights}: ${grouped(number)}`);
  return `pairs of airports by flights that it takes: ${numbers.join(', ')}; such as `;
}

function balance(routes: readonly Route[]): string {
  const flights = new Map(routes.map((route) => [`${route.from}–${route.to}`, route.flights]));
  const backOf = ({ from, to }: Route) => flights.get(`${to}–${from}`) ?? 0;
  const [uneven] = routes.toSorted((a, b) => b.flights - backOf(b) - (a.flights - backOf(a)));
  const ascending = [...flights.values()].sort((a, b) => a - b);
  const quarter = (number: number) => {
    const place = ((ascending.length - 1) * number) / 4;
    const below = ascending[Math.floor(place)] ?? Number.NaN;
    return below + ((ascending[Math.ceil(place)] ?? Number.NaN) - below) * (place % 1);
  };
  const fence = quarter(3) + 1.5 * (quarter(3) - quarter(1));
  const outliers = ascending.filter((number) => number > fence);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return [
    `${grouped(routes.filter((route) => backOf(route) === 0).length)} routes go one way only`,
    `${uneven?.from}–${uneven?.to} is the most uneven with ${grouped(uneven?.flights ?? 0)} there and ${grouped(uneven ? backOf(uneven) : 0)} back`,
    `${grouped(outliers.length)} outliers have ${Math.round((sum(outliers) / sum(ascending)) * 100)} % of the flights`,
  ].join('; ');
}
