package dev.muster.sdk.internal.core;

import dev.muster.worker.v1.AttemptReport;

/** A report that the server has not acknowledged. */
final class PendingReport {
  /** Size of the framing of one report. */
  private static final int FRAME_BYTES = 8;

  final Held held;
  AttemptReport message;
  int bytes;

  PendingReport(Held held, AttemptReport outcome) {
    this.held = held;
    AttemptReport.Builder report =
        outcome.toBuilder().setJobId(held.key.jobId()).setAttempt(held.key.attempt());
    if (held.logs != null) {
      report.addAllLogs(held.logs.records());
    }
    say(report.build());
  }

  /** Replaces the report with this outcome, without a log. */
  void replace(AttemptReport outcome) {
    say(outcome.toBuilder().setJobId(held.key.jobId()).setAttempt(held.key.attempt()).build());
  }

  private void say(AttemptReport report) {
    message = report;
    bytes = FRAME_BYTES + report.getSerializedSize();
  }
}
