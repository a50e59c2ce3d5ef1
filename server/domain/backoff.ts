/** How long an attempt waits before the next one: exponential, capped, with full jitter. */
import type { RetryPolicy } from './definition.ts';

/** Upper bound of the backoff before retry number `retry`, counted from 1, in ms. */
export function backoffBoundMs(
  policy: Pick<RetryPolicy, 'minBackoffMs' | 'maxBackoffMs' | 'multiplier'>,
  retry: number,
): number {
  return Math.min(policy.maxBackoffMs, policy.minBackoffMs * policy.multiplier ** (retry - 1));
}

/** Drawn evenly from zero to the bound; `random` is from 0 up to, not including, 1. */
export function backoffMs(
  policy: Pick<RetryPolicy, 'minBackoffMs' | 'maxBackoffMs' | 'multiplier'>,
  retry: number,
  random: number,
): number {
  return Math.round(backoffBoundMs(policy, retry) * random);
}

/** For attempts that were lost through no fault of the job. */
export const lossBackoff = { minBackoffMs: 1_000, maxBackoffMs: 60_000, multiplier: 2 } as const;

/** For jobs that are released over and over. */
export const releaseBackoff = { minBackoffMs: 1_000, maxBackoffMs: 30_000, multiplier: 2 } as const;
