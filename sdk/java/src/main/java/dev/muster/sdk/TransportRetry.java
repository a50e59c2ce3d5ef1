package dev.muster.sdk;

import java.time.Duration;

/**
 * How calls are repeated while the control plane can't be reached. The call's request id keeps a
 * repeat from doing the work twice.
 *
 * @param maxAttempts Maximum number of calls, the first one included.
 * @param minBackoff Upper bound of the first wait. The bound doubles each time; the wait is random
 *     between zero and the bound.
 * @param maxBackoff Upper bound of every wait.
 */
public record TransportRetry(int maxAttempts, Duration minBackoff, Duration maxBackoff) {
  /** Ten calls, with waits of at most 50 ms at first and at most 2 s later. */
  public static final TransportRetry DEFAULT =
      new TransportRetry(10, Duration.ofMillis(50), Duration.ofSeconds(2));

  /** The same waits without a limit on the number of calls: only the timeout limits them. */
  public TransportRetry patient() {
    return new TransportRetry(Integer.MAX_VALUE, minBackoff, maxBackoff);
  }
}
