package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.AttemptReport;
import java.util.ArrayList;
import java.util.List;

/**
 * Delays the report of a failed attempt until a heartbeat has carried its last checkpoint: the
 * report closes the attempt, and a closed attempt accepts no checkpoint.
 */
final class CheckpointGate {
  /** A report that waits. */
  static final class HeldBack {
    final Held held;
    final AttemptReport outcome;

    /** The first heartbeat that can carry the checkpoint. */
    private final long beat;

    /** Failed heartbeats that could carry it. */
    private int failures;

    private HeldBack(Held held, AttemptReport outcome, long beat) {
      this.held = held;
      this.outcome = outcome;
      this.beat = beat;
    }
  }

  private long beats;
  private final List<HeldBack> heldBack = new ArrayList<>();

  /** Numbers a heartbeat that is about to be sent. */
  long beatSent() {
    return ++beats;
  }

  /** Whether the report must wait; it is kept in that case. A success needs no checkpoint. */
  boolean holds(Held held, AttemptReport outcome) {
    boolean retried = outcome.hasFailure() || outcome.hasAborted() || outcome.hasSuspended();
    if (!retried || !owesCheckpoint(held)) {
      return false;
    }
    heldBack.add(new HeldBack(held, outcome, beats + 1));
    return true;
  }

  /**
   * A heartbeat is over. Returns the reports that may be sent now: their checkpoint was delivered,
   * or too many heartbeats have failed.
   */
  List<HeldBack> pass(long beat, boolean delivered) {
    List<HeldBack> going = new ArrayList<>();
    for (HeldBack one : heldBack) {
      if (!delivered && one.beat <= beat) {
        one.failures++;
      }
      if (!owesCheckpoint(one.held) || one.failures >= Limits.CHECKPOINT_TRIES) {
        going.add(one);
      }
    }
    heldBack.removeAll(going);
    return going;
  }

  private static boolean owesCheckpoint(Held held) {
    return held.update != null && held.update.checkpoint != null;
  }
}
