/** What losing a worker does to the jobs it held: how a job that kills its workers is told from those beside it. */

import type { OpenRun } from './run.ts';

/** Losses by lapse in a row from which on a job is a suspect: it may be what takes its workers down. */
const SUSPECT_FROM = 2;
/** Losses as a suspect that convict it. Two losses before and three alone: found after five crashes. */
const MAX_SUSPECT_LOSSES = 3;
/** Attempts of one job that were lost, released, or ignored by a retry rule, in all: the last of them ends it. */
export const MAX_LOSSES = 100;

/**
 * Whether a job with so many losses in a row is a suspect. A suspect waits in a lane of its own and is never assigned
 * beside another suspect, so that what happens to its session is its own doing or chance.
 */
export function isSuspect({ consecutiveLosses }: { readonly consecutiveLosses: number }): boolean {
  return consecutiveLosses >= SUSPECT_FROM;
}

export interface LossCounts {
  /** Losses by lapse in a row. */
  readonly consecutiveLosses: number;
  /** Losses by lapse as a suspect. */
  readonly suspectLosses: number;
  /** Losses of any kind, since submission. */
  readonly totalLosses: number;
}

/**
 * Attempts that were made for nothing, with the one that has just ended without counting. What was released is in no count
 * of its own: it is what is missing between the attempts that were made and those that count, or waited for children.
 */
export function wastedOf(
  run: Pick<OpenRun, 'attempt' | 'attemptsCounted' | 'suspensions'>,
  totalLosses: number,
): number {
  return Math.max(totalLosses, run.attempt - run.attemptsCounted - run.suspensions);
}

export type Verdict = 'CONTINUE' | 'POISON' | 'LOST_TOO_OFTEN';

/** The counts after one more loss; only a lapse says anything about the job, and only a suspect is charged with it. */
export function afterLoss(before: LossCounts, byLapse: boolean): LossCounts {
  return {
    consecutiveLosses: before.consecutiveLosses + (byLapse ? 1 : 0),
    suspectLosses: before.suspectLosses + (byLapse && isSuspect(before) ? 1 : 0),
    totalLosses: before.totalLosses + 1,
  };
}

export function verdictOf(suspectLosses: number, wasted: number): Verdict {
  if (suspectLosses >= MAX_SUSPECT_LOSSES) return 'POISON';
  return wasted >= MAX_LOSSES ? 'LOST_TOO_OFTEN' : 'CONTINUE';
}
