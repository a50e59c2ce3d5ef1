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
 * A batch by its job's id: members are added to it, then it is sealed and followed.
 *
 * <pre>{@code
 * BatchHandle batch = client.createBatch(BatchOptions.NONE);
 * batch.submitMany(jobs);
 * batch.seal();
 * Batch ended = batch.waitFor(Duration.ofHours(1));
 * }</pre>
 *
 * <p>As with {@link Client}, every method fails with a {@link MusterException}, and any number of
 * threads may use one.
 */
public final class BatchHandle {
  /** Progress is told about so often. */
  private static final Duration POLL = Duration.ofSeconds(1);

  private final Client client;
  private final String jobId;

  BatchHandle(Client client, String jobId) {
    this.client = client.withBatch(jobId);
    this.jobId = jobId;
  }

  /** UUID of the batch's job, which names the batch. */
  public String jobId() {
    return jobId;
  }

  /**
   * As {@link Client#submit(String, Object, SubmitOptions)}; the job becomes a member.
   *
   * @throws MusterException FAILED_PRECONDITION when the batch takes no more.
   */
  public SubmittedJob submit(String definition, Object input, SubmitOptions options) {
    return client.submit(definition, input, options);
  }

  /** Stores a member that is run as its definition says. */
  public SubmittedJob submit(String definition, Object input) {
    return client.submit(definition, input);
  }

  /**
   * As {@link Client#submitMany}: up to 10,000 jobs of at most 3 MiB a call, and as many calls as
   * it takes.
   */
  public List<SubmittedJob> submitMany(List<JobRequest> jobs) {
    return client.submitMany(jobs);
  }

  /** There are no more members: the batch ends once all have. Sealing twice is no error. */
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
   * Cancels the batch and its open members, and answers its job.
   *
   * @param reason Why, for people. At most 256 characters; may be empty.
   */
  public Job cancel(String reason) {
    return client.cancel(jobId, reason);
  }

  /**
   * Makes a new batch of the members of this one, which has ended, that have failed, been cancelled
   * or expired. Answers at once: they are made behind the call, and then the new batch is sealed.
   *
   * @param reason Why, for people. At most 1,024 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY,
   *     BATCH_RETRIED: another one retries it already).
   */
  public BatchHandle retry(String reason) {
    Batch made = Calls.await(client.async().retryBatch(jobId, reason));
    return client.withRequestId("").batch(made.getJob().getJobId());
  }

  /**
   * Waits for the batch's end and answers it; one that is not sealed has none.
   *
   * @throws MusterException DEADLINE_EXCEEDED (WAIT_TIMEOUT) when the time is up before.
   */
  public Batch waitFor(Duration timeout) {
    Job job = client.waitFor(jobId, timeout);
    if (!JobResults.isTerminal(job.getState())) {
      throw timeUp();
    }
    return get();
  }

  /**
   * As {@link #waitFor(Duration)}.
   *
   * @param onProgress Told how the members are getting on, about once a second and at the end.
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
