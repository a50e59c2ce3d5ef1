/** Delays between retries of a failed call. */
import type { CallFailure } from './call-failure.ts';
import { MAX_BACKOFF, MIN_BACKOFF } from './limits.ts';

/**
 * Milliseconds until the next try: the delay that the server asked for, plus 50 to 100 % of a cap that doubles.
 *
 * @param failures Consecutive failures, this one included.
 * @param longest Maximum of the cap.
 */
export function backoff(failures: number, failure: CallFailure, random: () => number, longest = MAX_BACKOFF): number {
  const cap = Math.min(longest, MIN_BACKOFF * 2 ** Math.min(failures - 1, 10));
  return (failure.retryDelayMs ?? 0) + cap * (0.5 + 0.5 * random());
}
