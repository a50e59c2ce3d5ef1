/** The results of a run, as they are written to JSON. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { quantile } from '../measures.ts';
import type { Column, Measure, Values } from './measure.ts';

/** The medians over the rounds of a peer, or the reason why there are none. */
export type Outcome = { readonly values: Values; readonly rounds: readonly Values[] } | { readonly notRun: string };

export interface MeasureResult {
  readonly title: string;
  readonly columns: Readonly<Record<string, Column>>;
  /** By the peer's name. */
  readonly peers: Readonly<Record<string, Outcome>>;
  /** When the measure was taken. */
  readonly time: string;
  readonly commit: string;
}

/** Where a measure was taken: one file may contain measures of several runs. */
export interface Circumstances {
  readonly machine: string;
  readonly stores: readonly string[];
}

export interface Results {
  /** By the measure's name. */
  readonly measures: Readonly<Record<string, MeasureResult & Circumstances>>;
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

/** Adds the result of a measure to the file, and keeps its other measures. */
export function writeResult(file: string, name: string, result: MeasureResult, stores: readonly string[]): void {
  const before: Partial<Results> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const measures = { ...before.measures, [name]: { ...result, machine: machine(), stores } };
  writeFileSync(file, `${JSON.stringify({ measures } satisfies Results, null, 2)}\n`);
}
