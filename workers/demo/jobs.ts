/** What goes into the demo's jobs and comes out. The workers agree on it; flights.yaml puts them together. */
import type { DelayCounts } from './delay-counts.ts';
import type { Flight } from './flights.ts';

/** Input of the whole workflow, `flight-delays`. */
export interface Work {
  /** Numbers of the parts in which the flights are loaded, from 0. */
  readonly parts: readonly number[];
  /** Distances in miles at which a new band begins, ascending. */
  readonly band_starts: readonly number[];
  /** Whether there is to be a chart. */
  readonly chart: boolean;
}

/** Result of the whole workflow. */
export interface Report {
  readonly table: string;
  readonly flights: number;
  /** Full paths: the table's, and the chart's if there is one. */
  readonly files: readonly string[];
}

/** Of the input of `count-part`, and so of its `load-flights`, whose result is the part cut into chunks, each of which is an item for `count-delays`. */
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
  /** The workflow's job: its drafts bear its id. */
  readonly run: string;
}

/** Result of `write-table` and `draw-chart`, of which `publish-files` takes a list. */
export interface Draft {
  readonly draft: string;
  /** Name of the file that it is to become. */
  readonly name: string;
}
