package dev.muster.sdk;

import java.util.concurrent.CompletionStage;

/**
 * Begins one attempt of a job, and holds no thread while it goes on.
 *
 * @param <I> What the input is read as.
 * @param <O> What the result is written from.
 */
@FunctionalInterface
public interface AsyncJobHandler<I, O> {
  /**
   * Begins the work. Once this has returned, {@link JobContext#whenStopped} says when to stop. This
   * is called in the handler's OpenTelemetry context; what goes on on other threads is given it by
   * {@code Context.current().wrap(...)}.
   *
   * @param context The job.
   * @param input The input; null: none was given.
   * @return The job's result, or what fails the attempt.
   * @throws Exception Fails the attempt.
   */
  CompletionStage<? extends O> run(JobContext context, I input) throws Exception;
}
