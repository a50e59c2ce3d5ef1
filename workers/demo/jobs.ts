/** What the demo's jobs are called, and what goes into them and comes out. The workers and the pipeline agree on it. */
import type { DelayCounts } from './delay-counts.ts';
import type { Flight } from './flights.ts';

/** Names of the definitions, which are those of the handlers too. */
export const DEFINITIONS = { count: 'count-delays', merge: 'merge-delays', report: 'report-delays' } as const;

/** Input of `count-delays`, which the Python worker runs; its result is a `DelayCounts`. */
export interface Chunk {
  readonly flights: readonly Flight[];
  /** Distances in miles at which a new band begins, ascending. */
  readonly band_starts: readonly number[];
}

/** Input of `merge-delays` and `report-delays`, which the TypeScript worker runs. */
export type Parts = readonly DelayCounts[];

/** Result of `report-delays`. */
export interface Report {
  readonly table: string;
  /** Full paths of the files. */
  readonly tableFile: string;
  readonly chartFile: string;
}
