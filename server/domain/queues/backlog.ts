/** Back-pressure: when a queue holds so much that more is refused, what is refused first, and when to come again. */

/** What people allow to wait in a queue. */
export interface BacklogBounds {
  /** READY jobs; 0: any number. */
  readonly maxBacklog: number;
  /** How long the oldest READY job may have waited; null: any time. */
  readonly maxBacklogAgeMs: number | null;
}

/** What waits in a queue. */
export interface Backlog {
  readonly waiting: number;
  /** Of the oldest READY job; 0: there is none. */
  readonly ageMs: number;
}

/** Named as in the contract. */
export type BacklogBound = 'max_backlog' | 'max_backlog_age';

/** A bound that has been reached. */
export interface Overrun {
  readonly bound: BacklogBound;
  /** Jobs that have to go before there is room for one more; at least 1. */
  readonly excess: number;
}

export function isBounded({ maxBacklog, maxBacklogAgeMs }: BacklogBounds): boolean {
  return maxBacklog > 0 || maxBacklogAgeMs !== null;
}

/** The part of a bound, in percent, from which on jobs of this priority are refused: what matters less goes first. */
export function percentFor(priority: number): number {
  if (priority < 0) return 80;
  return priority > 0 ? 120 : 100;
}

/** The bound that keeps one more job of this priority out. Undefined: none does. Compared in whole numbers, so exactly. */
export function overrunOf(bounds: BacklogBounds, backlog: Backlog, priority: number): Overrun | undefined {
  const percent = percentFor(priority);
  const { maxBacklog, maxBacklogAgeMs } = bounds;
  const { waiting, ageMs } = backlog;
  if (maxBacklog > 0 && waiting * 100 >= maxBacklog * percent)
    return { bound: 'max_backlog', excess: waiting - Math.ceil((maxBacklog * percent) / 100) + 1 };
  if (maxBacklogAgeMs !== null && waiting > 0 && ageMs * 100 >= maxBacklogAgeMs * percent) {
    // As if what waits had come evenly: so much of it has waited for longer than is allowed.
    const tooOld = waiting * (1 - (maxBacklogAgeMs * percent) / 100 / ageMs);
    return { bound: 'max_backlog_age', excess: Math.max(1, Math.ceil(tooOld)) };
  }
  return undefined;
}

/** A job that asks to be let in. */
export interface Entrant {
  readonly priority: number;
  /** One that waits for a time adds nothing to what waits. */
  readonly isReady: boolean;
}

export interface FirstOverrun extends Overrun {
  /** Of the job that finds no room. */
  readonly jobIndex: number;
  /** Ready jobs before it that would be let in with it. */
  readonly ahead: number;
}

/** The first of the jobs, in their order, that finds no room behind those before it. Undefined: there is room for all. */
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

/** When to come again, while so many jobs a second leave. Undefined: that is not known yet. */
export function retryAfterMs(excess: number, jobsPerSecond: number | undefined): number {
  if (jobsPerSecond === undefined) return SOONEST_MS;
  const ms = jobsPerSecond > 0 ? (excess / jobsPerSecond) * 1_000 : LATEST_MS;
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, Math.ceil(ms)));
}

/** What was measured so long ago counts for little more than a third. */
const RECENT_MS = 10_000;

/** Jobs a second that leave, after `left` more have within `ms`. */
export function drainRate(before: number | undefined, left: number, ms: number): number {
  const measured = (Math.max(0, left) * 1_000) / ms;
  return before === undefined ? measured : measured + (before - measured) * Math.exp(-ms / RECENT_MS);
}
