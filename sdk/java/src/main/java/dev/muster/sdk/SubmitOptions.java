package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.Demands;
import dev.muster.v1.Dependency;
import dev.muster.v1.IdempotencyConflictPolicy;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.Payload;
import dev.muster.v1.RetryPolicy;
import dev.muster.v1.SoftDeadline;
import dev.muster.v1.Sticky;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Options of a job. All are optional. Instances are immutable; each method returns a new one:
 *
 * <pre>{@code
 * SubmitOptions.NONE.idempotencyKey("invoice-7").priority(10).delay(Duration.ofMinutes(5))
 * }</pre>
 */
public final class SubmitOptions {
  /** Every option as in the definition. */
  public static final SubmitOptions NONE = new SubmitOptions(JobSubmission.getDefaultInstance());

  private final JobSubmission job;

  private SubmitOptions(JobSubmission job) {
    this.job = job;
  }

  /** Version of the definition. Default: the newest. */
  public SubmitOptions definitionVersion(int version) {
    return with(builder -> builder.setDefinitionVersion(version));
  }

  /**
   * A key chosen by the application: a second submission with the same key yields the same job. At
   * most 256 characters.
   */
  public SubmitOptions idempotencyKey(String key) {
    return with(builder -> builder.setIdempotencyKey(key));
  }

  /** What happens when the key is in use. Default: USE_EXISTING. */
  public SubmitOptions idempotencyConflictPolicy(IdempotencyConflictPolicy policy) {
    return with(builder -> builder.setIdempotencyConflictPolicy(policy));
  }

  /** Adds labels. At most 64; keys of at most 63, values of at most 256 characters. */
  public SubmitOptions labels(Map<String, String> labels) {
    return with(builder -> builder.putAllLabels(labels));
  }

  /** From -100 to 100; jobs with a higher priority run sooner. Default: the definition's. */
  public SubmitOptions priority(int priority) {
    return with(builder -> builder.setPriority(priority));
  }

  /** The job does not run before this time. Replaces a delay. */
  public SubmitOptions runTime(Instant time) {
    return with(builder -> builder.setRunTime(Times.timestampOf(time)));
  }

  /** The job does not run before this delay after acceptance. Replaces a run time. */
  public SubmitOptions delay(Duration delay) {
    return with(builder -> builder.setDelay(Times.durationOf(delay)));
  }

  /** The job expires if it has not started by this time. Default: never. */
  public SubmitOptions expireTime(Instant time) {
    return with(builder -> builder.setExpireTime(Times.timestampOf(time)));
  }

  /** The job's queue. Default: the definition's. */
  public SubmitOptions queue(String queue) {
    return with(builder -> builder.setQueue(queue));
  }

  /**
   * The key by which the queue shares its workers fairly, such as a tenant. At most 256 characters.
   * Default: that of the definition's {@code fairness_key}.
   */
  public SubmitOptions fairnessKey(String key) {
    return with(builder -> builder.setFairnessKey(key));
  }

  /** Replaces the definition's retry policy. */
  public SubmitOptions retryPolicy(RetryPolicy policy) {
    return with(builder -> builder.setRetryPolicy(policy));
  }

  /** Replaces the definition's run timeout. */
  public SubmitOptions runTimeout(Duration timeout) {
    return with(builder -> builder.setRunTimeout(Times.durationOf(timeout)));
  }

  /** By when the job should have ended. Replaces the definition's. */
  public SubmitOptions softDeadline(SoftDeadline deadline) {
    return with(builder -> builder.setSoftDeadline(deadline));
  }

  /** Replaces the definition's demands. */
  public SubmitOptions demands(Demands demands) {
    return with(builder -> builder.setDemands(demands));
  }

  /** Binds the job to the worker of an earlier job. Default: any suitable worker. */
  public SubmitOptions sticky(Sticky sticky) {
    return with(builder -> builder.setSticky(sticky));
  }

  /** Adds dependencies. All must be fulfilled before the job may start. At most 100. */
  public SubmitOptions dependsOn(Collection<Dependency> dependencies) {
    return with(builder -> builder.addAllDependsOn(dependencies));
  }

  /** Adds jobs that must have succeeded before it may start, by their UUIDs. */
  public SubmitOptions dependsOn(String... jobIds) {
    return with(
        builder -> {
          for (String jobId : jobIds) {
            builder.addDependsOn(Dependency.newBuilder().setJobId(jobId));
          }
        });
  }

  /**
   * W3C trace context of the job. Default: that of the submission's span, if the program traces.
   *
   * @param tracestate The W3C trace state that belongs to it. Empty: none.
   */
  public SubmitOptions trace(String traceparent, String tracestate) {
    return with(builder -> builder.setTraceparent(traceparent).setTracestate(tracestate));
  }

  /**
   * The message that is sent to the server.
   *
   * @param input Null: none.
   */
  public JobSubmission submission(String definition, Payload input) {
    JobSubmission.Builder builder = job.toBuilder().setDefinition(definition);
    if (input != null) {
      builder.setInput(input);
    }
    return builder.build();
  }

  private SubmitOptions with(Consumer<JobSubmission.Builder> change) {
    JobSubmission.Builder builder = job.toBuilder();
    change.accept(builder);
    return new SubmitOptions(builder.build());
  }
}
