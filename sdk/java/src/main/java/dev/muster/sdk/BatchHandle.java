package dev.muster.sdk;

import dev.muster.sdk.internal.transport.Calls;
import dev.muster.v1.Batch;
import dev.muster.v1.Job;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Refers to a batch by its job's id. It adds members, seals the batch and follows it.
 *
 * <pre>{@code
 * BatchHandle batch = client.createBatch(BatchOptions.NONE);
 * batch.submitMany(jobs);
 * batch.seal();
 * Batch ended = batch.waitFor(Duration.ofHours(1));
 * }</pre>
 *
 * <p>As with {@link Client}, every method fails with a {@link MusterException}, and the handle is
 * thread-safe.
 */
public final class BatchHandle {
  /** Interval of progress callbacks. */
  private static final Duration POLL = Duration.ofSeconds(1);

  private final Client client;
  private final String jobId;

  BatchHandle(Client client, String jobId) {
    this.client = client.withBatch(jobId);
    this.jobId = jobId;
  }

  /** UUID of the batch's job, which identifies the batch. */
  public String jobId() {
    return jobId;
  }

  /**
   * Works like {@link Client#submit(String, Object, SubmitOptions)}; the job becomes a member.
   *
   * @throws MusterException FAILED_PRECONDITION when the batch accepts no more members.
   */
  public SubmittedJob submit(String definition, Object input, SubmitOptions options) {
    return client.submit(definition, input, options);
  }

  /** Stores a member that runs as its definition says. */
  public SubmittedJob submit(String definition, Object input) {
    return client.submit(definition, input);
  }

  /**
   * Works like {@link Client#submitMany}: up to 10,000 jobs of at most 3 MiB together per call. A
   * batch can be filled by any number of calls.
   */
  public List<SubmittedJob> submitMany(List<JobRequest> jobs) {
    return client.submitMany(jobs);
  }

  /**
   * Declares that the batch gets no more members: it ends once all members have ended. Sealing
   * twice is not an error.
   */
  public Batch seal() {
    return Calls.await(client.async().sealBatch(jobId));
  }

  /**
   * Reads the batch with its counts.
   *
   * @throws MusterException NOT_FOUND (BATCH_NOT_FOUND).
   */
  public Batch get() {
    return Calls.await(client.async().getBatch(jobId));
  }

  /**
   * Cancels the batch and its open members, and returns its job.
   *
   * @param reason Free text of at most 256 characters; may be empty.
   */
  public Job cancel(String reason) {
    return client.cancel(jobId, reason);
  }

  /**
   * Creates a new batch with the members of this ended batch that have failed, been cancelled or
   * expired. Returns at once: the members are created in the background, and then the new batch is
   * sealed.
   *
   * @param reason Free text of at most 1,024 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY,
   *     BATCH_RETRIED: another batch retries it already).
   */
  public BatchHandle retry(String reason) {
    Batch made = Calls.await(client.async().retryBatch(jobId, reason));
    return client.withRequestId("").batch(made.getJob().getJobId());
  }

  /**
   * Waits until the batch has ended and returns it. A batch that is not sealed does not end.
   *
   * @throws MusterException DEADLINE_EXCEEDED (WAIT_TIMEOUT) when the timeout has passed before.
   */
  public Batch waitFor(Duration timeout) {
    Job job = client.waitFor(jobId, timeout);
    if (!JobResults.isTerminal(job.getState())) {
      throw timeUp();
    }
    return get();
  }

  /**
   * Works like {@link #waitFor(Duration)}.
   *
   * @param onProgress Called with the batch and its counts, about once a second and at the end.
   */
  public Batch waitFor(Duration timeout, Consumer<Batch> onProgress) {
    long start = System.nanoTime();
    while (true) {
      Duration left = timeout.minusNanos(System.nanoTime() - start);
      Job job = client.waitFor(jobId, left.compareTo(POLL) < 0 ? left : POLL);
      Batch batch = get();
      onProgress.accept(batch);
      if (JobResults.isTerminal(job.getState())) {
        return batch;
      }
      if (left.compareTo(POLL) < 0) {
        throw timeUp();
      }
    }
  }

  private MusterException timeUp() {
    return MusterException.of(
        Status.Code.DEADLINE_EXCEEDED,
        "WAIT_TIMEOUT",
        "batch " + jobId + " has not ended yet",
        Map.of("job_id", jobId));
  }
}
