/** Joins the results of the other steps: one line of text each. */

/** Input of `write-report`. A result is null if its language is not available. */
export interface Findings {
  readonly busiest: {
    readonly flights: number;
    readonly airports: readonly { readonly code: string; readonly city: string; readonly flights: number }[];
  } | null;
  /** In miles. */
  readonly distances: {
    readonly median: number;
    readonly ninetieth: number;
    readonly longest: { readonly from: string; readonly to: string; readonly miles: number };
  } | null;
  readonly connections: {
    /** Pairs of airports by the number of flights between them. */
    readonly pairs: Readonly<Record<string, number>>;
    readonly most: readonly string[];
  } | null;
  readonly balance: {
    readonly one_way: number;
    readonly uneven: { readonly from: string; readonly to: string; readonly there: number; readonly back: number };
    readonly outliers: number;
    /** Share of all flights, from 0 to 1. */
    readonly outlier_share: number;
  };
  /** Airports and their number of destinations. */
  readonly destinations: readonly (readonly [code: string, number: number])[];
}

const LABEL_WIDTH = 14;

export function reportOf({ busiest, distances, connections, balance, destinations }: Findings): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['busiest', busiest && busiestText(busiest)],
    ['distances', distances && distancesText(distances)],
    ['connections', connections && connectionsText(connections)],
    ['balance', balanceText(balance)],
    ['destinations', destinations.map(([code, number]) => `${code} ${number}`).join(', ')],
  ];
  return lines.flatMap(([label, text]) => (text === null ? [] : [`${label.padEnd(LABEL_WIDTH)}${text}\n`])).join('');
}

function busiestText({ airports }: NonNullable<Findings['busiest']>): string {
  return airports.map(({ code, city, flights }) => `${city} (${code}) ${count(flights)}`).join(', ');
}

function distancesText({ median, ninetieth, longest }: NonNullable<Findings['distances']>): string {
  const { from, to, miles } = longest;
  return `half of the flights go ${count(median)} miles or less, nine in ten ${count(ninetieth)}; ${from}–${to} is ${count(miles)}`;
}

function connectionsText({ pairs, most }: NonNullable<Findings['connections']>): string {
  const numbers = Object.entries(pairs).map(([flights, number]) => `${flights}: ${count(number)}`);
  return `pairs of airports by flights that it takes: ${numbers.join(', ')}; such as ${most.join('–')}`;
}

function balanceText({ one_way, uneven, outliers, outlier_share }: Findings['balance']): string {
  const { from, to, there, back } = uneven;
  return [
    `${count(one_way)} routes go one way only`,
    `${from}–${to} is the most uneven with ${count(there)} there and ${count(back)} back`,
    `${count(outliers)} outliers have ${Math.round(outlier_share * 100)} % of the flights`,
  ].join('; ');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
