package dev.muster.sdk.internal.core;

import dev.muster.v1.Credit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Predicate;

/**
 * The credits that the session has granted: what is left of each, until when, and what was assigned
 * under it.
 */
final class Credits {
  /** By id. All live equally long, so the order of granting is the order of ending. */
  private final Map<Long, LiveCredit> byId = new LinkedHashMap<>();

  private final Queue<Long> spent = new ArrayDeque<>();
  private long lastId;
  private int slots;
  private int prefetch;

  /** Slots of live credits that are not spent. */
  int slots() {
    return slots;
  }

  /** Prefetch places of live credits that are not spent. */
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

  /** The credit if it is alive, else null. A spent or voided one lives on, for its memory. */
  LiveCredit live(long id, long now) {
    LiveCredit credit = byId.get(id);
    return credit != null && now < credit.expireAt ? credit : null;
  }

  /** Whether the credit may still be parked somewhere, as far as the worker knows. */
  boolean remembers(long id) {
    return byId.containsKey(id);
  }

  /**
   * Takes a place of the kind for {@code key}, as the server did; remembers the attempt even when
   * none was left.
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

  /** Voids every credit with places left; answers their ids. */
  List<Long> voidAll() {
    return voidWhere(credit -> true);
  }

  /** Voids unused credits that end soon, so that the dispatcher never works with dying ones. */
  List<Long> voidAging(long now) {
    return voidWhere(credit -> credit.expireAt - now < Limits.CREDIT_REPLACE_BELOW);
  }

  /** Voids one credit; false when nothing was left of it. */
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

  /** Forgets the credits whose time is over. */
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
   * Bounds the memory of spent credits. Forgetting one early is harmless: an attempt that named it
   * is either held, or closed on the server, which then refuses the release of a late duplicate.
   */
  private void markSpent(LiveCredit credit) {
    spent.add(credit.id);
    if (spent.size() > Limits.MAX_SPENT_CREDITS) {
      byId.remove(spent.remove());
    }
  }
}
