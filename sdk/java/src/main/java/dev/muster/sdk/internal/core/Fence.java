package dev.muster.sdk.internal.core;

/**
 * Until when the worker may believe that its lease holds. The lease counts from the
 * <em>sending</em> of the last answered heartbeat: the server renewed it at some time after that,
 * so the worker's fence always falls before the server's.
 */
final class Fence {
  /** Threads of handlers look at it, too, before they enter one. */
  private volatile long at;

  private final long validMs;

  Fence(long openedAt, long leaseMs) {
    // Leases shorter than the usual one keep the same share of themselves as the margin.
    long margin =
        Math.min(Limits.FENCE_MARGIN, leaseMs * Limits.FENCE_MARGIN / Limits.DEFAULT_LEASE);
    validMs = leaseMs - margin;
    at = openedAt + validMs;
  }

  /** When it falls. */
  long at() {
    return at;
  }

  boolean passed(long now) {
    return now >= at;
  }

  /**
   * A heartbeat that was sent at {@code sentAt} has been answered well. Late answers set nothing
   * back.
   */
  void extend(long sentAt) {
    at = Math.max(at, sentAt + validMs);
  }
}
