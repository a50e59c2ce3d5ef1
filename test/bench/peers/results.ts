/** What a run has found, as it is written to JSON. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { quantile } from '../measures.ts';
import type { Column, Measure, Values } from './measure.ts';

/** The medians of the rounds of a peer, or why there are none. */
export type Outcome = { readonly values: Values; readonly rounds: readonly Values[] } | { readonly notRun: string };

export interface MeasureResult {
  readonly title: string;
  readonly columns: Readonly<Record<string, Column>>;
  /** By the peer's name. */
  readonly peers: Readonly<Record<string, Outcome>>;
  /** When it was taken. */
  readonly time: string;
  readonly commit: string;
}

export interface Results {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** By the measure's name. */
  readonly measures: Readonly<Record<string, MeasureResult>>;
}

export function medians(measure: Measure, rounds: readonly Values[]): Outcome {
  const keys = Object.keys(measure.columns);
  const values = keys.map((key) => [
    key,
    quantile(
      rounds.map((round) => round[key] as number),
      0.5,
    ),
  ]);
  return { values: Object.fromEntries(values), rounds };
}

export function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpus()[0]?.model}, ${gigabytes} GiB, Node ${process.version}`;
}

/** Writes the results; of an earlier run it keeps the measures that this one has not taken. */
export function writeResults(file: string, results: Results): void {
  const before: Partial<Results> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const all = {
    ...results,
    versions: { ...before.versions, ...results.versions },
    measures: { ...before.measures, ...results.measures },
  };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
