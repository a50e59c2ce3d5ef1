package dev.muster.sdk.internal.core;

import dev.muster.v1.AttemptReport;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds the report of a failed attempt back until a heartbeat has carried its last checkpoint: the
 * report closes the attempt, and a closed one takes no checkpoint any more.
 */
final class CheckpointGate {
  /** A report that waits. */
  static final class HeldBack {
    final Held held;
    final AttemptReport outcome;

    /** The first heartbeat that can carry the checkpoint. */
    private final long beat;

    /** Heartbeats that could carry it and failed. */
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

  /** Whether the report has to wait. A success needs no checkpoint. */
  boolean holds(Held held, AttemptReport outcome) {
    boolean retried = outcome.hasFailure() || outcome.hasAborted() || outcome.hasSuspended();
    if (!retried || !owesCheckpoint(held)) {
      return false;
    }
    heldBack.add(new HeldBack(held, outcome, beats + 1));
    return true;
  }

  /**
   * The reports that may go, now that a heartbeat is over: those whose checkpoint has come through,
   * or never will.
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
