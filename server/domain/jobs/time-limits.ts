/** Time limits: what a definition sets, what an open job carries, and which limit has been reached. */

/** Spans in ms; left out: no limit. */
export interface TimeLimits {
  /** From the time at which a job may run to its first attempt. */
  readonly queueTimeoutMs?: number;
  /** From the time at which a job may run to its end. */
  readonly totalTimeoutMs?: number;
  /** Maximum time without a progress report of an attempt. */
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
  /** For the job, over all its attempts. */
  readonly deadlineUs: number | null;
  /** For the open attempt. */
  readonly runDeadlineUs: number | null;
  /** When the attempt's next progress report is due. */
  readonly quietDeadlineUs: number | null;
  readonly watchUntilUs: number | null;
  /** The attempt's progress when the watchdog's window began. */
  readonly watchFraction: number;
  /** The attempt's current progress; null: not reported. */
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

/** Deadlines of a new job for the start of its first attempt and for its end; undefined: no limit. */
export function limitsFrom(
  limits: TimeLimits | undefined,
  startUs: number,
): { queueUntilUs: number | undefined; deadlineUs: number | undefined } {
  const after = (ms: number | undefined) => (ms === undefined ? undefined : startUs + ms * 1000);
  return { queueUntilUs: after(limits?.queueTimeoutMs), deadlineUs: after(limits?.totalTimeoutMs) };
}

/**
 * Which limit a RUNNING attempt has reached, in order of precedence. ON_PACE: the watchdog's check found enough
 * progress.
 */
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
