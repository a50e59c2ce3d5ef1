/** Delay before the next attempt: the policy's growing bound, and a random value below it. */

/** A field with its default value is left out, so that what an older release stored reads the same. */
export interface Backoff {
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly multiplier: number;
  /** Left out: EXPONENTIAL. */
  readonly backoff?: 'LINEAR' | 'CONSTANT' | 'LIST';
  /** Left out: FULL. */
  readonly jitter?: 'NONE';
  /** For LIST, where it is never empty. */
  readonly delaysMs?: readonly number[];
}

/** Upper bound of the delay before retry number `retry`, counted from 1, in ms. The delays of a list are not capped. */
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

/**
 * Drawn evenly from zero to the bound, or the bound itself without jitter; `random` is from 0 (inclusive) to 1
 * (exclusive).
 */
export function backoffMs(policy: Backoff, retry: number, random: number): number {
  return Math.round(backoffBoundMs(policy, retry) * (policy.jitter === 'NONE' ? 1 : random));
}

/** For attempts lost through no fault of the job. */
export const lossBackoff = { minBackoffMs: 1_000, maxBackoffMs: 60_000, multiplier: 2 } as const;

/** For jobs that are released over and over. */
export const releaseBackoff = { minBackoffMs: 1_000, maxBackoffMs: 30_000, multiplier: 2 } as const;
