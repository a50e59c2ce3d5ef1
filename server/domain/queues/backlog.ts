/**
 * Back-pressure: when a queue is so full that submissions are refused, which are refused first, and when to try again.
 */

/** Bounds on what may wait in a queue. */
export interface BacklogBounds {
  /** READY jobs; 0: unlimited. */
  readonly maxBacklog: number;
  /** Maximum wait of the oldest READY job; null: unlimited. */
  readonly maxBacklogAgeMs: number | null;
}

/** Current backlog of a queue. */
export interface Backlog {
  readonly waiting: number;
  /** Wait of the oldest READY job; 0: there is none. */
  readonly ageMs: number;
}

/** Named as in the contract. */
export type BacklogBound = 'max_backlog' | 'max_backlog_age';

/** A bound that has been reached. */
export interface Overrun {
  readonly bound: BacklogBound;
  /** Jobs that must leave before one more fits; at least 1. */
  readonly excess: number;
}

export function isBounded({ maxBacklog, maxBacklogAgeMs }: BacklogBounds): boolean {
  return maxBacklog > 0 || maxBacklogAgeMs !== null;
}

/** Percentage of a bound at which jobs of this priority are refused: low priorities are refused first. */
export function percentFor(priority: number): number {
  if (priority < 0) return 80;
  return priority > 0 ? 120 : 100;
}

/** The bound that refuses one more job of this priority. Undefined: none. Compared in whole numbers, so exactly. */
export function overrunOf(bounds: BacklogBounds, backlog: Backlog, priority: number): Overrun | undefined {
  const percent = percentFor(priority);
  const { maxBacklog, maxBacklogAgeMs } = bounds;
  const { waiting, ageMs } = backlog;
  if (maxBacklog > 0 && waiting * 100 >= maxBacklog * percent)
    return { bound: 'max_backlog', excess: waiting - Math.ceil((maxBacklog * percent) / 100) + 1 };
  if (maxBacklogAgeMs !== null && waiting > 0 && ageMs * 100 >= maxBacklogAgeMs * percent) {
    // Assumes that the waiting jobs arrived evenly: this share of them has waited for longer than is allowed.
    const tooOld = waiting * (1 - (maxBacklogAgeMs * percent) / 100 / ageMs);
    return { bound: 'max_backlog_age', excess: Math.max(1, Math.ceil(tooOld)) };
  }
  return undefined;
}

/** A job of a submission. */
export interface Entrant {
  readonly priority: number;
  /** A job that waits for a time adds nothing to the backlog. */
  readonly isReady: boolean;
}

export interface FirstOverrun extends Overrun {
  /** Index of the job that does not fit. */
  readonly jobIndex: number;
  /** Ready jobs before it that would be admitted with it. */
  readonly ahead: number;
}

/** The first job, in order, that does not fit behind those before it. Undefined: all fit. */
export function firstOverrun(
  bounds: BacklogBounds,
  backlog: Backlog,
  jobs: readonly Entrant[],
): FirstOverrun | undefined {
  let ahead = 0;
  for (const [jobIndex, { priority, isReady }] of jobs.entries()) {
    const overrun = overrunOf(bounds, { ...backlog, waiting: backlog.waiting + ahead }, priority);
    if (overrun) return { ...overrun, jobIndex, ahead };
    if (isReady) ahead++;
  }
  return undefined;
}

const SOONEST_MS = 1_000;
const LATEST_MS = 60_000;

/** When to try again, if this many jobs leave per second. Undefined: the rate is unknown yet. */
export function retryAfterMs(excess: number, jobsPerSecond: number | undefined): number {
  if (jobsPerSecond === undefined) return SOONEST_MS;
  const ms = jobsPerSecond > 0 ? (excess / jobsPerSecond) * 1_000 : LATEST_MS;
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, Math.ceil(ms)));
}

/** Time constant: a measurement this old counts for little more than a third. */
const RECENT_MS = 10_000;

/** Jobs that leave per second, after `left` more have left within `ms`. */
export function drainRate(before: number | undefined, left: number, ms: number): number {
  const measured = (Math.max(0, left) * 1_000) / ms;
  return before === undefined ? measured : measured + (before - measured) * Math.exp(-ms / RECENT_MS);
}
