/** Rank: the number that orders the ready jobs of a lane; the lowest is assigned first. */

/** One step of priority is worth one second of waiting, so nothing starves. */
const PRIORITY_STEP_US = 1_000_000;

/**
 * Rank in microseconds of a job that may start at `startUs`. A deadline caps it, so that a job that is about to expire
 * moves ahead of jobs that can wait.
 */
export function rankOf(startUs: number, priority: number, deadlineUs?: number | null): number {
  const rank = startUs - priority * PRIORITY_STEP_US;
  return deadlineUs === undefined || deadlineUs === null ? rank : Math.min(rank, deadlineUs);
}

/**
 * Start time from which a rank was computed. If the deadline capped the rank, the result is up to 100 s too early, and
 * only for a negative priority.
 */
export function startOf(rank: number, priority: number): number {
  return rank + priority * PRIORITY_STEP_US;
}
