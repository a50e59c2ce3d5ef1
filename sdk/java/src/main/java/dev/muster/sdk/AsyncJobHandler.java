package dev.muster.sdk;

import java.util.concurrent.CompletionStage;

/**
 * Runs one attempt of a job without blocking a thread.
 *
 * @param <I> The type as which the input is read.
 * @param <O> The type from which the result is written.
 */
@FunctionalInterface
public interface AsyncJobHandler<I, O> {
  /**
   * Starts the work. Once this has returned, {@link JobContext#whenStopped} notifies of requests to
   * stop. This is called in the handler's OpenTelemetry context; for work on other threads, use
   * {@code Context.current().wrap(...)}.
   *
   * @param context The job.
   * @param input The input; null: none.
   * @return The job's result, or an exception that fails the attempt.
   * @throws Exception Fails the attempt.
   */
  CompletionStage<? extends O> run(JobContext context, I input) throws Exception;
}
