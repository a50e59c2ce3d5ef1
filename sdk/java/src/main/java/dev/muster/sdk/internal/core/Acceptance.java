package dev.muster.sdk.internal.core;

import dev.muster.v1.ReleaseReason;

/**
 * What the session knows about one assignment at the moment it arrives, and the five questions that
 * decide what becomes of it, in the one order that is safe.
 *
 * @param held The attempt is held.
 * @param seen It was seen before, and the credit that it names is still alive.
 * @param fenced The session can't prove its lease. (A superseded session hears nothing any more.)
 * @param full The held list is at its bound.
 * @param cancelled A cancel for it came first.
 * @param draining The worker takes nothing more.
 * @param supported There is a handler for it.
 * @param creditUnspent It names a live credit that has a place of its kind left.
 * @param placeFree Its place is free: a slot, or for a prefetched attempt a place in the line.
 */
record Acceptance(
    boolean held,
    boolean seen,
    boolean fenced,
    boolean full,
    boolean cancelled,
    boolean draining,
    boolean supported,
    boolean creditUnspent,
    boolean placeFree) {

  /** What becomes of an assignment. */
  sealed interface Verdict {
    record Ignore() implements Verdict {}

    record Accept() implements Verdict {}

    record Release(ReleaseReason reason) implements Verdict {}
  }

  Verdict judge() {
    // 1. A duplicate says nothing new. This comes first: releasing it would give away what is
    //    running.
    if (held || seen) {
      return new Verdict.Ignore();
    }
    // 2. Without a lease, neither running nor releasing is ours to decide; the server sends the
    //    grant again. The same holds when the held list is full: it could not even list the
    //    release.
    if (fenced || full) {
      return new Verdict.Ignore();
    }
    // 3. The cancel overtook it.
    if (cancelled) {
      return new Verdict.Release(ReleaseReason.RELEASE_REASON_CANCELLED);
    }
    // 4. Accept, without a round trip.
    if (!draining && supported && creditUnspent && placeFree) {
      return new Verdict.Accept();
    }
    // 5. Give it back and say why.
    return new Verdict.Release(whyNot());
  }

  private ReleaseReason whyNot() {
    if (draining) {
      return ReleaseReason.RELEASE_REASON_DRAIN;
    }
    if (!supported) {
      return ReleaseReason.RELEASE_REASON_UNSUPPORTED;
    }
    return creditUnspent
        ? ReleaseReason.RELEASE_REASON_NO_SLOT
        : ReleaseReason.RELEASE_REASON_DEAD_CREDIT;
  }
}
