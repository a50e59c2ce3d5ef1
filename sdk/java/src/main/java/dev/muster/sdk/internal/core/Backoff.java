package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import java.time.Duration;

/** Waits between repeats of a failed call. */
final class Backoff {
  private static final int MAX_DOUBLINGS = 10;

  private Backoff() {}

  /**
   * Milliseconds until the next try: the delay that the server requests, plus a random wait between
   * half of a limit and the whole. The limit doubles with each failure.
   *
   * @param failures Consecutive failures, this one included.
   * @param longest The maximum of the limit.
   */
  static long after(int failures, MusterException failure, long longest, double random) {
    long doubled = Limits.MIN_BACKOFF << Math.min(failures - 1, MAX_DOUBLINGS);
    long cap = Math.min(longest, doubled);
    long asked = failure.retryDelay().map(Duration::toMillis).orElse(0L);
    return asked + Math.round(cap * (0.5 + 0.5 * random));
  }
}
