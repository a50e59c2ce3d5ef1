package dev.muster.sdk.internal.core;

import java.util.HashSet;
import java.util.Set;

/** A granted credit with its unspent permits. */
final class LiveCredit {
  final long id;
  final long expireAt;
  int slots;
  int prefetch;

  /** Attempts that named it while it lives, so that none is accepted twice. */
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
