/**
 * What losing a worker does to the jobs that it held, and how a job that kills its workers is distinguished from the
 * others on the same worker.
 */

import type { OpenRun } from './run.ts';

/** Consecutive losses of the worker that make a job a suspect: it may be the cause of the lost workers. */
const SUSPECT_FROM = 2;
/** Losses as a suspect that convict a job. With two losses before and three alone it is found after five crashes. */
const MAX_SUSPECT_LOSSES = 3;
/**
 * Maximum attempts of one job that were lost, released, or ignored by a retry rule, in total; the last one ends the
 * job.
 */
export const MAX_LOSSES = 100;

/**
 * Whether a job with this many consecutive losses is a suspect. A suspect waits in a quarantine lane and is never
 * assigned together with another suspect, so that a lost session is its own doing or chance.
 */
export function isSuspect({ consecutiveLosses }: { readonly consecutiveLosses: number }): boolean {
  return consecutiveLosses >= SUSPECT_FROM;
}

export interface LossCounts {
  /** Consecutive losses by a lapse, or by the death of the worker's process. */
  readonly consecutiveLosses: number;
  /** Such losses as a suspect. */
  readonly suspectLosses: number;
  /** Losses of any kind, since submission. */
  readonly totalLosses: number;
}

/**
 * Wasted attempts, including the one that has just ended without counting. Releases have no counter of their own: they
 * are the difference between the attempts made and those that counted or waited for children.
 */
export function wastedOf(run: Pick<OpenRun, 'attempt' | 'attemptCount' | 'suspensions'>, totalLosses: number): number {
  return Math.max(totalLosses, run.attempt - run.attemptCount - run.suspensions);
}

export type Verdict = 'CONTINUE' | 'POISON' | 'LOST_TOO_OFTEN';

/**
 * The counts after one more loss. It is suspicious if the job may have caused it. Only such a loss counts against the
 * job, and only a suspect is charged with it.
 */
export function afterLoss(before: LossCounts, isSuspicious: boolean): LossCounts {
  return {
    consecutiveLosses: before.consecutiveLosses + (isSuspicious ? 1 : 0),
    suspectLosses: before.suspectLosses + (isSuspicious && isSuspect(before) ? 1 : 0),
    totalLosses: before.totalLosses + 1,
  };
}

export function verdictOf(suspectLosses: number, wasted: number): Verdict {
  if (suspectLosses >= MAX_SUSPECT_LOSSES) return 'POISON';
  return wasted >= MAX_LOSSES ? 'LOST_TOO_OFTEN' : 'CONTINUE';
}
