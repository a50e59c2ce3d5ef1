/**
 * Restores of a backup: what was answered and started between the backup and the restore may be undone. Each restore is
 * an interval in ms since 1970, from the begin of its backup to the moment in which the address leads to it.
 */
import type { Call } from '../load/load.ts';

export interface Restore {
  readonly from: number;
  readonly to: number;
}

/** Whether the answer may be undone. */
export function isUndone({ endedAt }: Call, restores: readonly Restore[]): boolean {
  return restores.some(({ from, to }) => endedAt >= from && endedAt <= to);
}

/** Jobs that were accepted only by calls that may be undone. */
export function undoneJobs(calls: readonly Call[], restores: readonly Restore[]): ReadonlySet<string> {
  const submissions = calls.filter(({ kind }) => kind === 'submit');
  const kept = new Set(submissions.filter((call) => !isUndone(call, restores)).flatMap(({ jobs }) => jobs));
  const all = submissions.filter((call) => isUndone(call, restores)).flatMap(({ jobs }) => jobs);
  return new Set(all.filter((job) => !kept.has(job)));
}

/** Whether a handler may run under a grant that is undone: its worker learns of that within a lease. */
export function mayBeUnaware(at: number, restores: readonly Restore[], leaseMs: number): boolean {
  return restores.some(({ from, to }) => at >= from && at <= to + leaseMs);
}

/** Whether a restore came between: then the later one repeats what was undone. */
export function isBetween(earlier: number, later: number, restores: readonly Restore[]): boolean {
  return restores.some(({ to }) => earlier <= to && later > to);
}
