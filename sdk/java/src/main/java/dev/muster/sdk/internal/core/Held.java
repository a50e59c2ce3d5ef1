package dev.muster.sdk.internal.core;

import dev.muster.v1.Assignment;
import dev.muster.v1.HeldAttempt;
import dev.muster.v1.LeaseLossAction;

/** An attempt that the session holds. */
final class Held {
  /**
   * {@code WAITING} for a place → {@code RUNNING} → {@code CLOSING}: its report is on the way. A
   * release goes to {@code CLOSING} at once; the entry goes when the server has acknowledged the
   * report.
   */
  enum Phase {
    WAITING,
    RUNNING,
    CLOSING
  }

  final AttemptKey key;

  /** Its handler goes on when the lease can't be proved. */
  final boolean continues;

  Phase phase = Phase.CLOSING;

  /** What is to be run, while it waits. */
  Assignment assignment;

  /** When it has waited too long. */
  long expireAt = Alarm.NEVER;

  /** Its handler, while it runs. */
  Execution execution;

  /** Whether a handler was entered, once that is over. */
  boolean started;

  /** What its handler said of itself. Null: nothing. */
  AttemptUpdate update;

  /** What its handler has logged and no acknowledged heartbeat has carried. Null: nothing. */
  LogTail logs;

  Held(AttemptKey key, Assignment assignment) {
    this.key = key;
    continues = assignment.getLeaseLossAction() == LeaseLossAction.LEASE_LOSS_ACTION_CONTINUE;
  }

  /** As a heartbeat lists it. */
  HeldAttempt message() {
    return HeldAttempt.newBuilder()
        .setJobId(key.jobId())
        .setAttempt(key.attempt())
        .setStarted(execution == null ? started : execution.running.hasStarted())
        .build();
  }
}
