package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.Credit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Decides which credits a call grants and which it voids, and handles them when the call fails. */
final class Grants {
  /** The credits that one call grants and voids. */
  record Terms(List<Credit> credits, List<Long> voided) {}

  private final Credits credits;
  private final HeldList held;
  private final Slots slots;
  private final CompletionRate rate;

  /** Voided credits that no answered call has carried yet. */
  private final Set<Long> unsaid = new LinkedHashSet<>();

  Grants(Credits credits, HeldList held, Slots slots, CompletionRate rate) {
    this.credits = credits;
    this.held = held;
    this.slots = slots;
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
    int capacity =
        Math.max(0, Limits.MAX_HELD - held.size() - credits.slots() - credits.prefetch());
    int start = Math.min(capacity, Math.max(0, slots.free() - credits.slots()));
    int depth = Math.min(Limits.MAX_PREFETCH, rate.recent(now));
    int prefetch =
        Math.min(capacity - start, Math.max(0, depth - held.waiting() - credits.prefetch()));
    return start + prefetch > 0 ? List.of(credits.grant(start, prefetch, now)) : List.of();
  }
}
