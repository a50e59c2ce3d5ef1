/** One thing that keeps a job from starting, and what stands behind it. */
import type { WaitReason } from './wait-reasons.ts';

/** A job or a session that is in the way. Times are microseconds on the database's clock. */
export interface Holder {
  /** Undefined: the session itself is meant. */
  readonly jobId?: string | undefined;
  /** Undefined: the job waits, too. */
  readonly sessionId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly sinceUs?: number | undefined;
}

export interface Holders {
  /** At most `MAX_HOLDERS`, those that have been for longest first. */
  readonly list: readonly Holder[];
  readonly count: number;
}

export const MAX_HOLDERS = 10;

export interface Constraint {
  readonly reason: WaitReason;
  /** A sentence without its full stop. */
  readonly message: string;
  readonly holders: Holders;
  /** Undefined: nobody knows. */
  readonly openTimeUs?: number | undefined;
  /** It may open before that as well. */
  readonly mayOpenSooner?: boolean | undefined;
  /** Since when it is in the way. Undefined: that is not on record. */
  readonly sinceUs?: number | undefined;
  /** What a person can do. */
  readonly nextStep: string;
}

export const noHolders: Holders = { list: [], count: 0 };

/** `3 jobs`, `1 job`. */
export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
