/** How long an attempt waits before the next one: a bound that grows as the policy says, and chance below it. */

/** Left out where it is the default, so that what an older release stored reads the same. */
export interface Backoff {
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly multiplier: number;
  /** Left out: EXPONENTIAL. */
  readonly backoff?: 'LINEAR' | 'CONSTANT' | 'LIST';
  /** Left out: FULL. */
  readonly jitter?: 'NONE';
  /** With LIST, and never empty there. */
  readonly delaysMs?: readonly number[];
}

/** Upper bound of the backoff before retry number `retry`, counted from 1, in ms. A list's waits are not capped. */
export function backoffBoundMs(policy: Backoff, retry: number): number {
  const { minBackoffMs, maxBackoffMs, multiplier, delaysMs = [] } = policy;
  switch (policy.backoff) {
    case 'LIST':
      return delaysMs[Math.min(retry, delaysMs.length) - 1] ?? minBackoffMs;
    case 'CONSTANT':
      return minBackoffMs;
    case 'LINEAR':
      return Math.min(maxBackoffMs, minBackoffMs * retry);
    default:
      return Math.min(maxBackoffMs, minBackoffMs * multiplier ** (retry - 1));
  }
}

/** Drawn evenly from zero to the bound, or the bound itself without jitter; `random` is from 0 up to, not including, 1. */
export function backoffMs(policy: Backoff, retry: number, random: number): number {
  return Math.round(backoffBoundMs(policy, retry) * (policy.jitter === 'NONE' ? 1 : random));
}

/** For attempts that were lost through no fault of the job. */
export const lossBackoff = { minBackoffMs: 1_000, maxBackoffMs: 60_000, multiplier: 2 } as const;

/** For jobs that are released over and over. */
export const releaseBackoff = { minBackoffMs: 1_000, maxBackoffMs: 30_000, multiplier: 2 } as const;
