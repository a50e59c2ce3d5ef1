/** Limits in time: what a definition says, what of it an open job carries, and which of them has been reached. */

/** Spans in ms; one that is left out is no limit. */
export interface TimeLimits {
  /** From when a job may run to its first attempt. */
  readonly queueTimeoutMs?: number;
  /** From when a job may run to its end. */
  readonly totalTimeoutMs?: number;
  /** In which an attempt says nothing of its progress. */
  readonly progressTimeoutMs?: number;
  readonly watchdog?: Watchdog;
}

/** In each window the fraction must grow by `minFraction`. */
export interface Watchdog {
  readonly minFraction: number;
  readonly windowMs: number;
}

/** Times in µs on the database's clock; null: no such limit, or the attempt was not seen running yet. */
export interface RunLimits {
  /** Of the job, however many attempts it takes. */
  readonly deadlineUs: number | null;
  /** Of the open attempt. */
  readonly runDeadlineUs: number | null;
  /** By when the attempt must say how far it is. */
  readonly quietDeadlineUs: number | null;
  readonly watchUntilUs: number | null;
  /** How far the attempt was when the watchdog's window began. */
  readonly watchFraction: number;
  /** How far it is now; null: it has not said. */
  readonly progressFraction: number | null;
}

export const noLimits: RunLimits = {
  deadlineUs: null,
  runDeadlineUs: null,
  quietDeadlineUs: null,
  watchUntilUs: null,
  watchFraction: 0,
  progressFraction: null,
};

export function earliest(...times: readonly (number | null | undefined)[]): number | null {
  const known = times.filter((time) => time !== null && time !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** Until when a new job may wait for its first attempt, and until when it must have ended; undefined: no limit. */
export function limitsFrom(
  limits: TimeLimits | undefined,
  startUs: number,
): { queueUntilUs: number | undefined; deadlineUs: number | undefined } {
  const after = (ms: number | undefined) => (ms === undefined ? undefined : startUs + ms * 1000);
  return { queueUntilUs: after(limits?.queueTimeoutMs), deadlineUs: after(limits?.totalTimeoutMs) };
}

/** Which limit a RUNNING attempt has reached; the first that is true. ON_PACE: the watchdog looked and was content. */
export type Overrun = 'TOTAL' | 'RUN' | 'SILENT' | 'SLOW' | 'ON_PACE';

export function overrunOf(limits: RunLimits, watchdog: Watchdog | undefined, nowUs: number): Overrun {
  const reached = (time: number | null) => time !== null && time <= nowUs;
  if (reached(limits.deadlineUs)) return 'TOTAL';
  if (reached(limits.runDeadlineUs)) return 'RUN';
  if (reached(limits.quietDeadlineUs)) return 'SILENT';
  if (!reached(limits.watchUntilUs) || !watchdog) return 'RUN';
  const grown = (limits.progressFraction ?? 0) - limits.watchFraction;
  return grown >= watchdog.minFraction ? 'ON_PACE' : 'SLOW';
}
