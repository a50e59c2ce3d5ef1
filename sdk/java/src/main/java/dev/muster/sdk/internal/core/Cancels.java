package dev.muster.sdk.internal.core;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Cancels that overtook their assignments. */
final class Cancels {
  /** When each is removed; in order of arrival, which is also the order of removal. */
  private final Map<AttemptKey, Long> forgetAt = new LinkedHashMap<>();

  void remember(AttemptKey key, long now) {
    forget(now);
    forgetAt.remove(key);
    forgetAt.put(key, now + Limits.CANCEL_MEMORY);
  }

  boolean has(AttemptKey key, long now) {
    Long until = forgetAt.get(key);
    return until != null && now < until;
  }

  int size() {
    return forgetAt.size();
  }

  private void forget(long now) {
    Iterator<Long> oldest = forgetAt.values().iterator();
    while (oldest.hasNext()) {
      long until = oldest.next();
      if (now < until && forgetAt.size() < Limits.MAX_CANCELS) {
        return;
      }
      oldest.remove();
    }
  }
}
