package dev.muster.sdk.testing;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.internal.worker.DetachedJob;
import dev.muster.sdk.internal.worker.DetachedRuns;
import dev.muster.v1.Failure;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.AttemptReport;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The result of a handler, with everything that it reported in all of its runs. */
public final class HandlerOutcome {
  private final DetachedRuns runs;
  private final AttemptReport report;
  private final PayloadCodec codec;

  HandlerOutcome(DetachedRuns runs, AttemptReport report, PayloadCodec codec) {
    this.runs = runs;
    this.report = report;
    this.codec = codec;
  }

  /**
   * The returned value, as a client reads it.
   *
   * @throws IllegalStateException when the handler failed (the message contains the failure), or
   *     when it has suspended its job, or was asked to stop while it waited for children.
   */
  public <T> T result(Class<T> type) {
    if (report.hasSuspended()) {
      throw new IllegalStateException(
          "the handler has suspended its job, or was asked to stop while it waited for children");
    }
    if (!report.hasResult()) {
      Failure failure = report.getFailure();
      throw new IllegalStateException(
          "the handler failed: " + failure.getType() + ": " + failure.getMessage());
    }
    return codec.decode(report.getResult(), type);
  }

  /**
   * Whether the handler has suspended its job, or was asked to stop while it waited for children.
   */
  public boolean isSuspended() {
    return report.hasSuspended();
  }

  /** The failure to report. Empty: the handler returned, or is suspended. */
  public Optional<Failure> failure() {
    return report.hasFailure() ? Optional.of(report.getFailure()) : Optional.empty();
  }

  /** All progress reports, in order. */
  public List<Progress> progress() {
    return all(DetachedJob::reportedProgress);
  }

  /** All checkpoints, in order. */
  public <T> List<T> checkpoints(Class<T> type) {
    return all(DetachedJob::reportedCheckpoints).stream()
        .map(left -> codec.decode(left, type))
        .toList();
  }

  /** All records of the attempt's log, in order. */
  public List<LogRecord> logs() {
    return all(DetachedJob::records);
  }

  /** The total time requested beyond the run timeout, in the last run. */
  public Duration runTimeoutExtension() {
    List<DetachedJob> all = runs.runs();
    return Duration.ofMillis(all.get(all.size() - 1).extensionMillis());
  }

  /** The number of runs: one, plus one each time it has waited for children. */
  public int runs() {
    return runs.runs().size();
  }

  /** The children that it submitted, each once, in order. */
  public List<JobSubmission> children() {
    return runs.children().submissions();
  }

  private <T> List<T> all(Function<DetachedJob, List<T>> said) {
    return runs.runs().stream().flatMap(run -> said.apply(run).stream()).toList();
  }
}
