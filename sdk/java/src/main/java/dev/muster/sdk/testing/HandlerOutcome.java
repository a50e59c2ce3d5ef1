package dev.muster.sdk.testing;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.internal.worker.DetachedJob;
import dev.muster.v1.AttemptReport;
import dev.muster.v1.Failure;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Progress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What came of a handler, and what it said of itself. */
public final class HandlerOutcome {
  private final DetachedJob job;
  private final AttemptReport report;
  private final PayloadCodec codec;

  HandlerOutcome(DetachedJob job, AttemptReport report, PayloadCodec codec) {
    this.job = job;
    this.report = report;
    this.codec = codec;
  }

  /**
   * What it returned, as a client reads it.
   *
   * @throws IllegalStateException when it failed; the message says how.
   */
  public <T> T result(Class<T> type) {
    if (!report.hasResult()) {
      Failure failure = report.getFailure();
      throw new IllegalStateException(
          "the handler failed: " + failure.getType() + ": " + failure.getMessage());
    }
    return codec.decode(report.getResult(), type);
  }

  /** What would be reported of its failure. Empty: it returned. */
  public Optional<Failure> failure() {
    return report.hasFailure() ? Optional.of(report.getFailure()) : Optional.empty();
  }

  /** Each progress that it reported, in order. */
  public List<Progress> progress() {
    return job.reportedProgress();
  }

  /** Each checkpoint that it left, in order. */
  public <T> List<T> checkpoints(Class<T> type) {
    return job.reportedCheckpoints().stream().map(left -> codec.decode(left, type)).toList();
  }

  /** Each record that it wrote to the attempt's log, in order. */
  public List<LogRecord> logs() {
    return job.records();
  }

  /** How much time it asked for beyond its run timeout. */
  public Duration runTimeoutExtension() {
    return Duration.ofMillis(job.extensionMillis());
  }
}
