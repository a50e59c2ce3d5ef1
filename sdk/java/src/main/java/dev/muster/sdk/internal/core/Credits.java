package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.Credit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Predicate;

/**
 * The credits that the session has granted: their unspent permits, their expiry, and the attempts
 * assigned under them.
 */
final class Credits {
  /** By id. All credits live equally long, so the order of granting is the order of expiry. */
  private final Map<Long, LiveCredit> byId = new LinkedHashMap<>();

  private final Queue<Long> spent = new ArrayDeque<>();
  private long lastId;
  private int slots;
  private int prefetch;

  /** Unspent slots of live credits. */
  int slots() {
    return slots;
  }

  /** Unspent prefetch permits of live credits. */
  int prefetch() {
    return prefetch;
  }

  /** Makes a credit whose life starts now, before it is sent. */
  Credit grant(int slotsOffered, int prefetchOffered, long now) {
    LiveCredit credit =
        new LiveCredit(++lastId, now + Limits.CREDIT_LIFE, slotsOffered, prefetchOffered);
    byId.put(credit.id, credit);
    slots += slotsOffered;
    prefetch += prefetchOffered;
    return Credit.newBuilder()
        .setCreditId(credit.id)
        .setSlots(slotsOffered)
        .setPrefetch(prefetchOffered)
        .build();
  }

  /**
   * Returns the credit if it is alive, else null. A spent or voided credit stays alive because it
   * remembers its attempts.
   */
  LiveCredit live(long id, long now) {
    LiveCredit credit = byId.get(id);
    return credit != null && now < credit.expireAt ? credit : null;
  }

  /** Whether the credit may still be stored on the server, as far as the worker knows. */
  boolean remembers(long id) {
    return byId.containsKey(id);
  }

  /**
   * Takes a permit of the kind for {@code key}, as the server did, and remembers the attempt even
   * if no permit was left.
   */
  void spend(LiveCredit credit, AttemptKey key, boolean isPrefetch) {
    credit.see(key);
    if (isPrefetch && credit.prefetch > 0) {
      credit.prefetch--;
      prefetch--;
    } else if (!isPrefetch && credit.slots > 0) {
      credit.slots--;
      slots--;
    } else {
      return;
    }
    if (!credit.unspent()) {
      markSpent(credit);
    }
  }

  /** Voids every credit with unspent permits; returns their ids. */
  List<Long> voidAll() {
    return voidWhere(credit -> true);
  }

  /**
   * Voids unspent credits that end soon, so that the dispatcher never uses a credit that is about
   * to end.
   */
  List<Long> voidAging(long now) {
    return voidWhere(credit -> credit.expireAt - now < Limits.CREDIT_REPLACE_BELOW);
  }

  /** Voids one credit; false if it had no unspent permits. */
  boolean voidOne(long id) {
    LiveCredit credit = byId.get(id);
    if (credit == null || !credit.unspent()) {
      return false;
    }
    slots -= credit.slots;
    prefetch -= credit.prefetch;
    credit.slots = 0;
    credit.prefetch = 0;
    markSpent(credit);
    return true;
  }

  /** Removes the credits that have ended. */
  void expire(long now) {
    Iterator<LiveCredit> oldest = byId.values().iterator();
    while (oldest.hasNext()) {
      LiveCredit credit = oldest.next();
      if (now < credit.expireAt) {
        return;
      }
      slots -= credit.slots;
      prefetch -= credit.prefetch;
      oldest.remove();
    }
  }

  private List<Long> voidWhere(Predicate<LiveCredit> condition) {
    List<Long> ids = new ArrayList<>();
    for (LiveCredit credit : List.copyOf(byId.values())) {
      if (condition.test(credit) && voidOne(credit.id)) {
        ids.add(credit.id);
      }
    }
    return ids;
  }

  /**
   * Bounds the number of remembered spent credits. Removing one early is harmless: an attempt that
   * named it is either held, or closed on the server, which then refuses the release of a late
   * duplicate.
   */
  private void markSpent(LiveCredit credit) {
    spent.add(credit.id);
    if (spent.size() > Limits.MAX_SPENT_CREDITS) {
      byId.remove(spent.remove());
    }
  }
}
