package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.ReleaseReason;

/**
 * The facts on which an arriving assignment is judged, and the decision. The order of the five
 * checks is essential for safety.
 *
 * @param held The session holds the attempt.
 * @param seen The attempt arrived before, under a credit that is still alive.
 * @param fenced The session can't prove its lease. (A superseded session receives nothing any
 *     more.)
 * @param full The held list has reached its limit.
 * @param cancelled A cancel arrived before the assignment.
 * @param draining The worker accepts no more attempts.
 * @param supported A handler is registered for it.
 * @param creditUnspent Its credit is alive and has an unspent permit of its kind.
 * @param slotFree A slot is free, or the attempt is prefetched and may wait.
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
    boolean slotFree) {

  /** The decision about an assignment. */
  sealed interface Verdict {
    record Ignore() implements Verdict {}

    record Accept() implements Verdict {}

    record Release(ReleaseReason reason) implements Verdict {}
  }

  Verdict judge() {
    // 1. Ignore a duplicate. This comes first: releasing it would release the running attempt.
    if (held || seen) {
      return new Verdict.Ignore();
    }
    // 2. Without a lease, the session may neither run nor release the attempt; the server sends the
    //    grant again. The same holds when the held list is full: it could not even list the
    // release.
    if (fenced || full) {
      return new Verdict.Ignore();
    }
    // 3. Release it if a cancel overtook it.
    if (cancelled) {
      return new Verdict.Release(ReleaseReason.RELEASE_REASON_CANCELLED);
    }
    // 4. Accept, without a round trip.
    if (!draining && supported && creditUnspent && slotFree) {
      return new Verdict.Accept();
    }
    // 5. Release it with a reason.
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
