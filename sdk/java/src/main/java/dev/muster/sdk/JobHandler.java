package dev.muster.sdk;

/**
 * Runs one attempt of a job, on a thread of the worker.
 *
 * @param <I> The type as which the input is read.
 * @param <O> The type from which the result is written.
 */
@FunctionalInterface
public interface JobHandler<I, O> {
  /**
   * Does the work. A request to stop interrupts the thread.
   *
   * @param context The job.
   * @param input The input; null: none.
   * @return The job's result.
   * @throws Exception Fails the attempt; the retry policy decides whether there is another one.
   */
  O run(JobContext context, I input) throws Exception;
}
