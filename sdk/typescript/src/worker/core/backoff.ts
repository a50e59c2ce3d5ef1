/** Waits between repeats of a failed call. */
import type { CallFailure } from './call-failure.ts';
import { MAX_BACKOFF, MIN_BACKOFF } from './limits.ts';

/**
 * Milliseconds until the next try: at least what the server asked for, plus a random share of a cap that doubles.
 *
 * @param failures Failures in a row, this one included.
 * @param longest The largest cap.
 */
export function backoff(failures: number, failure: CallFailure, random: () => number, longest = MAX_BACKOFF): number {
  const cap = Math.min(longest, MIN_BACKOFF * 2 ** Math.min(failures - 1, 10));
  return (failure.retryDelayMs ?? 0) + cap * (0.5 + 0.5 * random());
}
