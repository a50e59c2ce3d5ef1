/** Everything that a run has left, and what its checks find in it. */
import type { ReportAnswer } from '../harness/careless-session.ts';
import type { JournalRow } from '../harness/journal.ts';
import type { Call } from '../harness/load.ts';
import type { WorkerRecord } from '../harness/records.ts';
import { Tally } from '../harness/tally.ts';

/** A job as a client read it after everything had healed. */
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
  readonly leaseMs: number;
  /** Attempts of the definitions in use. */
  readonly maxAttempts: number;
}

/** Faults, and how often each thing happened. */
export class Findings extends Tally {
  readonly violations: string[] = [];

  violate(invariant: string, what: string): void {
    this.violations.push(`${invariant}: ${what}`);
  }
}

/** Journal times are microseconds, everybody else's are whole milliseconds of the same clock, rounded down. */
export function msOf(us: number): number {
  return us / 1000;
}

/** What rounding down may hide. */
export const ROUNDING_MS = 1;
