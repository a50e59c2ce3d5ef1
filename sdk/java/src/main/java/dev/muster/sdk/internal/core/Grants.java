package dev.muster.sdk.internal.core;

import dev.muster.v1.Credit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides which credits a call grants and which it voids, and what becomes of them when the call
 * fails.
 */
final class Grants {
  /** What one call says about credits. */
  record Terms(List<Credit> credits, List<Long> voided) {}

  private final Credits credits;
  private final HeldList held;
  private final Places places;
  private final CompletionRate rate;

  /** Voids that no answered call has carried yet. */
  private final Set<Long> unsaid = new LinkedHashSet<>();

  Grants(Credits credits, HeldList held, Places places, CompletionRate rate) {
    this.credits = credits;
    this.held = held;
    this.places = places;
    this.rate = rate;
  }

  /** Takes back everything that is not spent, to be said with the next call. */
  void voidAll() {
    unsaid.addAll(credits.voidAll());
  }

  /** At a heartbeat: credits that end soon are replaced. */
  void renew(long now) {
    unsaid.addAll(credits.voidAging(now));
  }

  /** What the next call says. The life of what it grants begins here, before the sending. */
  Terms compose(long now, boolean mayGrant) {
    credits.expire(now);
    List<Long> voided = List.copyOf(unsaid);
    return new Terms(mayGrant ? wanted(now) : List.of(), voided);
  }

  /** The call was answered: what it said needs no repeat. */
  void answered(Terms terms) {
    terms.voided().forEach(unsaid::remove);
  }

  /**
   * The call failed, and nobody knows whether its credits were parked. They are void: a fresh one,
   * with its whole life ahead, takes their place.
   */
  void failed(Terms terms) {
    for (Credit credit : terms.credits()) {
      if (credits.voidOne(credit.getCreditId())) {
        unsaid.add(credit.getCreditId());
      }
    }
    // A credit that has ended needs no voiding; forgetting those bounds the list while no call gets
    // through.
    unsaid.removeIf(id -> !credits.remembers(id));
  }

  private List<Credit> wanted(long now) {
    int room = Math.max(0, Limits.MAX_HELD - held.size() - credits.slots() - credits.prefetch());
    int slots = Math.min(room, Math.max(0, places.free() - credits.slots()));
    int depth = Math.min(Limits.MAX_PREFETCH, rate.recent(now));
    int prefetch = Math.min(room - slots, Math.max(0, depth - held.waiting() - credits.prefetch()));
    return slots + prefetch > 0 ? List.of(credits.grant(slots, prefetch, now)) : List.of();
  }
}
