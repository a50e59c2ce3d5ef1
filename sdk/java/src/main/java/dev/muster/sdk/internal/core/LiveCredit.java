package dev.muster.sdk.internal.core;

import java.util.HashSet;
import java.util.Set;

/** What is left of a credit. */
final class LiveCredit {
  final long id;
  final long expireAt;
  int slots;
  int prefetch;

  /**
   * Attempts that named it. They are remembered as long as it lives, so that none of them is taken
   * twice.
   */
  private Set<AttemptKey> seen;

  LiveCredit(long id, long expireAt, int slots, int prefetch) {
    this.id = id;
    this.expireAt = expireAt;
    this.slots = slots;
    this.prefetch = prefetch;
  }

  boolean unspent() {
    return slots + prefetch > 0;
  }

  void see(AttemptKey key) {
    if (seen == null) {
      seen = new HashSet<>();
    }
    seen.add(key);
  }

  boolean hasSeen(AttemptKey key) {
    return seen != null && seen.contains(key);
  }
}
