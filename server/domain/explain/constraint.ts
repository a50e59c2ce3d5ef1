/** One constraint that keeps a job from starting, and its holders. */
import type { WaitReason } from './wait-reasons.ts';

/** A job or a session that causes the constraint. Times are microseconds on the database's clock. */
export interface Holder {
  /** Undefined: the session itself is meant. */
  readonly jobId?: string | undefined;
  /** Undefined: that job waits, too. */
  readonly sessionId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly sinceUs?: number | undefined;
}

export interface Holders {
  /** At most `MAX_HOLDERS`, longest first. */
  readonly list: readonly Holder[];
  readonly count: number;
}

export const MAX_HOLDERS = 10;

export interface Constraint {
  readonly reason: WaitReason;
  /** A sentence without its full stop. */
  readonly message: string;
  readonly holders: Holders;
  /** Undefined: unknown. */
  readonly openTimeUs?: number | undefined;
  /** It may open before that as well. */
  readonly mayOpenSooner?: boolean | undefined;
  /** When the constraint began. Undefined: not on record. */
  readonly sinceUs?: number | undefined;
  /** What an operator can do. */
  readonly nextStep: string;
}

export const noHolders: Holders = { list: [], count: 0 };

/** `3 jobs`, `1 job`. */
export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
