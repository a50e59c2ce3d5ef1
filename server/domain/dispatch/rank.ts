/** Rank: the one number by which ready jobs of a lane are ordered; the lowest is assigned first. */

/** One step of priority is worth one second of waiting, so nothing starves. */
const PRIORITY_STEP_US = 1_000_000;

/**
 * Rank in microseconds of a job that may start at `startUs`. A deadline caps it, so that a job that is about to expire
 * moves ahead of those that can wait.
 */
export function rankOf(startUs: number, priority: number, deadlineUs?: number | null): number {
  const rank = startUs - priority * PRIORITY_STEP_US;
  return deadlineUs === undefined || deadlineUs === null ? rank : Math.min(rank, deadlineUs);
}

/** The start that a rank was made of. Where the deadline had capped it, at most 100 s too early: only a negative priority can. */
export function startOf(rank: number, priority: number): number {
  return rank + priority * PRIORITY_STEP_US;
}
