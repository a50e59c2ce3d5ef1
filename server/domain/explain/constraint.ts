/** One constraint that keeps a job from starting, and its blockers. */
import type { WaitReason } from './wait-reasons.ts';

/** A job or a session that causes the constraint. Times are microseconds on the database's clock. */
export interface Blocker {
  /** Undefined: the session itself is meant. */
  readonly jobId?: string | undefined;
  /** Undefined: that job waits, too. */
  readonly sessionId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly sinceUs?: number | undefined;
}

export interface Blockers {
  /** At most `MAX_BLOCKERS`, longest first. */
  readonly list: readonly Blocker[];
  readonly count: number;
}

export const MAX_BLOCKERS = 10;

export interface Constraint {
  readonly reason: WaitReason;
  /** A sentence without its full stop. */
  readonly message: string;
  readonly blockers: Blockers;
  /** Undefined: unknown. */
  readonly openTimeUs?: number | undefined;
  /** It may open before that as well. */
  readonly mayOpenSooner?: boolean | undefined;
  /** When the constraint began. Undefined: not on record. */
  readonly sinceUs?: number | undefined;
  /** What an operator can do. */
  readonly nextStep: string;
}

export const noBlockers: Blockers = { list: [], count: 0 };

/** `3 jobs`, `1 job`. */
export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
