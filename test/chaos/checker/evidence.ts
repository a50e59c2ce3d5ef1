/** The records that a run has left, and the findings of its checks. */
import type { ReportAnswer } from '../harness/careless-session.ts';
import type { JournalRow } from '../harness/journal.ts';
import type { WorkerRecord } from '../harness/records.ts';
import { Tally } from '../harness/tally.ts';
import type { Call } from '../load/load.ts';
import type { Restore } from './restores.ts';

/** A job as a client read it after recovery. */
export interface Reading {
  readonly job: string;
  /** Name of the replica that was asked. */
  readonly replica: string;
  readonly state: number;
  /** The result or the failure's message. */
  readonly text: string;
}

export interface Evidence {
  readonly journal: readonly JournalRow[];
  readonly records: readonly WorkerRecord[];
  readonly calls: readonly Call[];
  readonly reports: readonly ReportAnswer[];
  readonly readings: readonly Reading[];
  /** In their order. */
  readonly restores: readonly Restore[];
  /** The longest one of a replica. */
  readonly leaseMs: number;
  /** The shortest one. Default: all have the same. */
  readonly minLeaseMs?: number;
  /** Attempts of the definitions in use. */
  readonly maxAttempts: number;
}

/** Violations, and the number of times that each thing happened. */
export class Findings extends Tally {
  readonly violations: string[] = [];

  violate(invariant: string, what: string): void {
    this.violations.push(`${invariant}: ${what}`);
  }
}

/** Journal times are microseconds, all other times are whole milliseconds of the same clock, rounded down. */
export function msOf(us: number): number {
  return us / 1000;
}

/** The difference that rounding down may hide. */
export const ROUNDING_MS = 1;
