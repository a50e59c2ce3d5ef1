package dev.muster.sdk.internal.core;

/**
 * The time until which the worker may rely on its lease. The lease counts from the <em>sending</em>
 * of the last answered heartbeat: the server renewed it at some time after that, so the worker's
 * fence always passes before the server's.
 */
final class Fence {
  /** Volatile, because threads of handlers read it before they enter a handler. */
  private volatile long at;

  private final long validMs;

  Fence(long openedAt, long leaseMs) {
    // Leases shorter than the default have a proportional margin.
    long margin =
        Math.min(Limits.FENCE_MARGIN, leaseMs * Limits.FENCE_MARGIN / Limits.DEFAULT_LEASE);
    validMs = leaseMs - margin;
    at = openedAt + validMs;
  }

  /** The time at which it passes. */
  long at() {
    return at;
  }

  boolean passed(long now) {
    return now >= at;
  }

  /**
   * A heartbeat that was sent at {@code sentAt} was answered. A late answer never moves the fence
   * back.
   */
  void extend(long sentAt) {
    at = Math.max(at, sentAt + validMs);
  }
}
