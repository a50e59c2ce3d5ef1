/** Inputs and results of the demo's jobs. The workers share these types; flights.yaml connects the jobs. */
import type { DelayCounts } from './delay-counts.ts';
import type { Flight } from './flights.ts';

/** Input of the whole workflow, `flight-delays`. */
export interface Work {
  /** Numbers of the parts into which the flights are divided, from 0. */
  readonly parts: readonly number[];
  /** Distances in miles at which a new band begins, ascending. */
  readonly band_starts: readonly number[];
  /** Whether to draw a chart. */
  readonly chart: boolean;
}

/** Result of the whole workflow. */
export interface Report {
  readonly table: string;
  readonly flights: number;
  /** Full paths: the table, and the chart if there is one. */
  readonly files: readonly string[];
}

/**
 * Input of `count-part` and of its `load-flights`. The result of `load-flights` is the part divided into chunks, each
 * of which is an item for `count-delays`.
 */
export interface Part {
  readonly part: number;
  readonly of: number;
}
export type Chunks = readonly (readonly Flight[])[];

/** Input of `merge-delays`. */
export type Counted = readonly DelayCounts[];

/** Input of `write-table` and `draw-chart`. */
export interface Drafted {
  readonly counts: DelayCounts;
  /** The id of the workflow's job, which is part of the names of its drafts. */
  readonly run: string;
}

/** Result of `write-table` and `draw-chart`. `publish-files` takes a list of them. */
export interface Draft {
  readonly draft: string;
  /** Final name of the file. */
  readonly name: string;
}
