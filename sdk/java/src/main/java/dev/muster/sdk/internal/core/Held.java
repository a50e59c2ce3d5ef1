package dev.muster.sdk.internal.core;

import dev.muster.v1.LeaseLossAction;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.HeldAttempt;

/** An attempt that the session holds. */
final class Held {
  /**
   * {@code WAITING} for a slot → {@code RUNNING} → {@code CLOSING} while its report is pending. A
   * release starts in {@code CLOSING}. The entry is removed when the server has acknowledged the
   * report.
   */
  enum Phase {
    WAITING,
    RUNNING,
    CLOSING
  }

  final AttemptKey key;

  /** Its handler continues when the lease can't be proved. */
  final boolean continues;

  Phase phase = Phase.CLOSING;

  /** Set while the attempt waits. */
  Assignment assignment;

  /** When a waiting attempt is given back. */
  long expireAt = Alarm.NEVER;

  /** Its handler while it runs. */
  Execution execution;

  /** Whether a handler was entered. It is set when that handler's attempt is closed. */
  boolean started;

  /** What its handler has reported. Null: nothing. */
  AttemptUpdate update;

  /** Log records that no acknowledged heartbeat has carried. Null: there were none. */
  LogTail logs;

  Held(AttemptKey key, Assignment assignment) {
    this.key = key;
    continues = assignment.getLeaseLossAction() == LeaseLossAction.LEASE_LOSS_ACTION_CONTINUE;
  }

  /** The entry in a heartbeat. */
  HeldAttempt message() {
    return HeldAttempt.newBuilder()
        .setJobId(key.jobId())
        .setAttempt(key.attempt())
        .setStarted(execution == null ? started : execution.running.hasStarted())
        .build();
  }
}
