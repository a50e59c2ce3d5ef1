package dev.muster.sdk.internal.core;

import dev.muster.v1.Credit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Decides which credits a call grants and which it voids, and handles them when the call fails. */
final class Grants {
  /** The credits that one call grants and voids. */
  record Terms(List<Credit> credits, List<Long> voided) {}

  private final Credits credits;
  private final HeldList held;
  private final Places places;
  private final CompletionRate rate;

  /** Voided credits that no answered call has carried yet. */
  private final Set<Long> unsaid = new LinkedHashSet<>();

  Grants(Credits credits, HeldList held, Places places, CompletionRate rate) {
    this.credits = credits;
    this.held = held;
    this.places = places;
    this.rate = rate;
  }

  /** Voids all unspent credits; the next call carries the voids. */
  void voidAll() {
    unsaid.addAll(credits.voidAll());
  }

  /** For a heartbeat: replaces credits that end soon. */
  void renew(long now) {
    unsaid.addAll(credits.voidAging(now));
  }

  /**
   * Returns what the next call grants and voids. The life of a new credit begins here, before the
   * call is sent.
   */
  Terms compose(long now, boolean mayGrant) {
    credits.expire(now);
    List<Long> voided = List.copyOf(unsaid);
    return new Terms(mayGrant ? wanted(now) : List.of(), voided);
  }

  /** A call was answered: its voids need no repeat. */
  void answered(Terms terms) {
    terms.voided().forEach(unsaid::remove);
  }

  /**
   * A call failed: the server may or may not have stored its credits. They are voided, and a new
   * credit with its whole life ahead replaces them.
   */
  void failed(Terms terms) {
    for (Credit credit : terms.credits()) {
      if (credits.voidOne(credit.getCreditId())) {
        unsaid.add(credit.getCreditId());
      }
    }
    // A credit that has ended needs no voiding. Removing it bounds the list while no call succeeds.
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
