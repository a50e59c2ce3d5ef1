package dev.muster.sdk;

import java.time.Duration;

/**
 * How calls are repeated while the control plane can't be reached. The call's own request id keeps
 * a repeat from doing the work twice.
 *
 * @param maxAttempts Calls in all, the first included.
 * @param minBackoff Upper bound of the first wait; it doubles each time and is drawn evenly from
 *     zero.
 * @param maxBackoff Cap of every wait.
 */
public record TransportRetry(int maxAttempts, Duration minBackoff, Duration maxBackoff) {
  /** Ten calls, with waits of at most 50 ms at first and 2 s later. */
  public static final TransportRetry DEFAULT =
      new TransportRetry(10, Duration.ofMillis(50), Duration.ofSeconds(2));

  /** The same waits without a bound in number: the time of the call bounds it. */
  public TransportRetry patient() {
    return new TransportRetry(Integer.MAX_VALUE, minBackoff, maxBackoff);
  }
}
