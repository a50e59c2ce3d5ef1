package dev.muster.sdk.internal.worker;

import dev.muster.sdk.JobContext;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.internal.Times;
import dev.muster.sdk.internal.Uuids;
import dev.muster.sdk.internal.core.Limits;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.Assignment;
import java.time.Duration;
import java.util.Optional;

/** The facts of the assignment; they do not change while the handler runs. */
abstract class AssignedJob implements JobContext {
  private final Assignment assignment;
  private final PayloadCodec codec;
  private final String jobId;

  AssignedJob(Assignment assignment, PayloadCodec codec) {
    this.assignment = assignment;
    this.codec = codec;
    jobId = Uuids.text(assignment.getJobId());
  }

  final Assignment assignment() {
    return assignment;
  }

  final PayloadCodec codec() {
    return codec;
  }

  @Override
  public final String jobId() {
    return jobId;
  }

  @Override
  public final int attempt() {
    return assignment.getAttempt();
  }

  @Override
  public final int attemptCount() {
    return assignment.getAttemptCount();
  }

  @Override
  public final String namespace() {
    return assignment.getNamespace();
  }

  @Override
  public final String definition() {
    return assignment.getDefinition();
  }

  @Override
  public final int definitionVersion() {
    return assignment.getDefinitionVersion();
  }

  @Override
  public final Duration runTimeout() {
    return assignment.hasRunTimeout()
        ? Times.durationOf(assignment.getRunTimeout())
        : Duration.ofMillis(Limits.DEFAULT_RUN_TIMEOUT);
  }

  @Override
  public final Optional<Payload> input() {
    return assignment.hasInput() ? Optional.of(assignment.getInput()) : Optional.empty();
  }

  @Override
  public final <T> Optional<T> lastCheckpoint(Class<T> type) {
    return assignment.hasCheckpoint()
        ? Optional.ofNullable(codec.decode(assignment.getCheckpoint(), type))
        : Optional.empty();
  }
}
