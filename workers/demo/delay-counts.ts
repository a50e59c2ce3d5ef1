/** Counts of flights by delay. Counts add up exactly, and all figures of the table and the chart derive from them. */

/** Flights by delay in minutes. */
export type Counts = Readonly<Record<string, number>>;

/** Counts for each group of two groupings. Groups without flights are absent. */
export interface DelayCounts {
  /** By hour of departure, 0 to 23. */
  readonly hours: Readonly<Record<string, Counts>>;
  /** By distance band: the index into `BANDS`. */
  readonly bands: Readonly<Record<string, Counts>>;
}

/** Distances in miles at which a new band begins. */
export const BAND_STARTS = [250, 500, 750, 1_000, 1_500, 2_000] as const;

/** The bands as displayed, in miles. */
export const BANDS: readonly string[] = [
  'under 250',
  '250–499',
  '500–749',
  '750–999',
  '1,000–1,499',
  '1,500–1,999',
  '2,000 or more',
];

/** A flight that arrives more than this many minutes late counts as late. */
export const LATE_AFTER = 15;

/** Statistics of a group of flights. Delays in minutes. */
export interface Summary {
  readonly flights: number;
  readonly mean: number;
  /** The lowest delay that at least half (`median`) or nine in ten (`ninetieth`) of the flights do not exceed. */
  readonly median: number;
  readonly ninetieth: number;
  /** Share of late flights, from 0 to 1. */
  readonly late: number;
}

export function addCounts(parts: readonly DelayCounts[]): DelayCounts {
  return { hours: addGroups(parts.map(({ hours }) => hours)), bands: addGroups(parts.map(({ bands }) => bands)) };
}

function addGroups(parts: readonly DelayCounts['hours'][]): DelayCounts['hours'] {
  const sums: Record<string, Record<string, number>> = {};
  for (const part of parts) {
    for (const [group, counts] of Object.entries(part)) {
      sums[group] ??= {};
      const total = sums[group];
      for (const [delay, flights] of Object.entries(counts)) total[delay] = (total[delay] ?? 0) + flights;
    }
  }
  return sums;
}

/** Counts of all groups together. */
export function allOf(groups: DelayCounts['hours']): Counts {
  const parts = Object.values(groups).map((counts) => ({ all: counts }));
  return addGroups(parts).all ?? {};
}

/** @param counts At least one flight. */
export function summarise(counts: Counts): Summary {
  const delays = Object.entries(counts)
    .map(([delay, flights]) => ({ delay: Number(delay), flights }))
    .sort((a, b) => a.delay - b.delay);
  const total = sum(delays.map(({ flights }) => flights));
  return {
    flights: total,
    mean: sum(delays.map(({ delay, flights }) => delay * flights)) / total,
    median: quantile(delays, total * 0.5),
    ninetieth: quantile(delays, total * 0.9),
    late: sum(delays.map(({ delay, flights }) => (delay > LATE_AFTER ? flights : 0))) / total,
  };
}

/** The lowest delay that at least `rank` flights do not exceed. */
function quantile(ascending: readonly { delay: number; flights: number }[], rank: number): number {
  let seen = 0;
  for (const { delay, flights } of ascending) {
    seen += flights;
    if (seen >= rank) return delay;
  }
  return Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
