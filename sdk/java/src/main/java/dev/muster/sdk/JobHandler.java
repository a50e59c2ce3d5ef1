package dev.muster.sdk;

/**
 * Runs one attempt of a job, on a thread of the worker's.
 *
 * @param <I> What the input is read as.
 * @param <O> What the result is written from.
 */
@FunctionalInterface
public interface JobHandler<I, O> {
  /**
   * Does the work. When it is asked to stop, the thread is interrupted.
   *
   * @param context The job.
   * @param input The input; null: none was given.
   * @return The job's result.
   * @throws Exception Fails the attempt, and the retry policy decides about another one.
   */
  O run(JobContext context, I input) throws Exception;
}
