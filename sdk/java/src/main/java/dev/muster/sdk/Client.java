package dev.muster.sdk;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.sdk.internal.transport.Calls;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobExplanation;
import dev.muster.v1.JobFilter;
import dev.muster.v1.ListAttemptLogsResponse;
import dev.muster.v1.ListJobsResponse;
import dev.muster.v1.LogRecord;
import dev.muster.v1.SendSignalResponse;
import io.grpc.Channel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A connection to Muster that submits jobs and follows them.
 *
 * <pre>{@code
 * try (Client client = Client.builder("localhost:7070").build()) {
 *   SubmittedJob job = client.submit("greet", new Person("Ada"));
 *   String greeting = client.result(job.jobId(), String.class, Duration.ofMinutes(1));
 * }
 * }</pre>
 *
 * <p>Every method fails with a {@link MusterException}. Calls that fail with UNAVAILABLE are
 * repeated a limited number of times with one request id, so a repeated submission yields the same
 * job. An interrupt ends a call with CANCELLED. Clients are thread-safe.
 */
public final class Client implements AutoCloseable {
  private static final int PAGE_SIZE = 100;
  private static final int LOG_PAGE_SIZE = 200;

  private final AsyncClient async;

  Client(AsyncClient async) {
    this.async = async;
  }

  /**
   * Creates a builder.
   *
   * @param address gRPC target of the control plane, such as {@code localhost:7070} or {@code
   *     dns:///muster:7070}.
   */
  public static ClientBuilder builder(String address) {
    return new ClientBuilder(address);
  }

  /** The same calls without blocking. */
  public AsyncClient async() {
    return async;
  }

  /**
   * The connection, for the generated stubs of all services, such as {@code
   * QueueServiceGrpc.newBlockingStub(client.channel())}. {@link MusterException#of(Throwable)}
   * converts their exceptions.
   */
  public Channel channel() {
    return async.calls().channel();
  }

  /**
   * A copy of this client with another maximum duration of a call, repeats included. It shares the
   * connection.
   */
  public Client withTimeout(Duration timeout) {
    return new Client(new AsyncClient(async.calls().withTimeout(timeout)));
  }

  /**
   * A copy of this client with a request id: a UUID that makes repeats of one call idempotent, also
   * across restarts of this process. Use it for one call only; without it each call has a new id.
   */
  public Client withRequestId(String requestId) {
    return new Client(new AsyncClient(async.calls().withRequestId(requestId)));
  }

  /** A copy of this client whose submissions become members of an open batch. */
  public Client withBatch(String batchJobId) {
    return new Client(new AsyncClient(async.calls().withBatch(batchJobId)));
  }

  /**
   * Stores a job. The job is committed when this returns.
   *
   * @param definition Name of the definition.
   * @param input A value that {@link PayloadCodec#encode} accepts; null: none.
   * @throws PayloadException when the input can't be written as JSON.
   */
  public SubmittedJob submit(String definition, Object input, SubmitOptions options) {
    return Calls.await(async.submit(definition, input, options));
  }

  /** Stores a job that runs as its definition says. */
  public SubmittedJob submit(String definition, Object input) {
    return submit(definition, input, SubmitOptions.NONE);
  }

  /**
   * Stores up to 10,000 jobs of at most 3 MiB together, all or none. The results are in the order
   * of the jobs.
   */
  public List<SubmittedJob> submitMany(List<JobRequest> jobs) {
    return Calls.await(async.submitMany(jobs));
  }

  /**
   * Reads the current state of a job.
   *
   * @throws MusterException NOT_FOUND when there is no such job.
   */
  public Job get(String jobId) {
    return Calls.await(async.get(jobId));
  }

  /**
   * Reports why a job is in its state: what keeps it from starting, which blockers hold that and
   * when they release it, its queue position and an estimate of its start; which worker runs it;
   * how it ended. The summary says all of it in sentences.
   */
  public JobExplanation explain(String jobId) {
    return Calls.await(async.explain(jobId));
  }

  /**
   * Waits until the job has ended or the timeout has passed, and returns the job's current state. A
   * handler that waits keeps its slot meanwhile; {@link JobContext#results} gives it back.
   */
  public Job waitFor(String jobId, Duration timeout) {
    return Calls.await(async.waitFor(jobId, timeout));
  }

  /**
   * Waits for the job's end and returns the handler's result.
   *
   * @param type The type as which {@link PayloadCodec} reads the result.
   * @throws JobFailedException when the job ended without a result.
   * @throws MusterException DEADLINE_EXCEEDED when the timeout has passed before.
   * @throws PayloadException when the result does not fit the class.
   */
  public <T> T result(String jobId, Class<T> type, Duration timeout) {
    return Calls.await(async.result(jobId, type, timeout));
  }

  /** Works like {@link #result(String, Class, Duration)}, for types with parameters. */
  public <T> T result(String jobId, TypeReference<T> type, Duration timeout) {
    return Calls.await(async.result(jobId, type, timeout));
  }

  /**
   * Asks a job to stop and returns its new state: CANCELLED, or CANCELLING while its handler has
   * not returned. The state is SUCCEEDED if the handler has returned a result meanwhile.
   *
   * @param reason Free text of at most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED) when the job has ended in another
   *     state.
   */
  public Job cancel(String jobId, String reason) {
    return Calls.await(async.cancel(jobId, reason));
  }

  /**
   * As {@link #cancel(String, String)}, with a grace period in place of the definition's.
   *
   * @param grace how long the handler may take to stop, at most an hour. Zero: a job that runs is
   *     CANCELLED at once, and what its handler still reports is refused.
   */
  public Job cancel(String jobId, String reason, Duration grace) {
    return Calls.await(async.cancel(jobId, reason, grace));
  }

  /**
   * Pauses a waiting job and returns its new state. The job still expires while it is paused.
   * Pausing twice is not an error.
   *
   * @param reason Free text of at most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED, JOB_NOT_WAITING).
   */
  public Job pause(String jobId, String reason) {
    return Calls.await(async.pause(jobId, reason));
  }

  /**
   * Pauses a job and returns its new state: PAUSED, or, with {@link PauseOptions#running}, still
   * RUNNING until its handler has stopped. The job still expires while it is paused. Pausing twice
   * is not an error.
   *
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_WAITING when it runs, without
   *     {@link PauseOptions#running}).
   */
  public Job pause(String jobId, PauseOptions options) {
    return Calls.await(async.pause(jobId, options));
  }

  /**
   * Continues a paused job: at once, or at its run time if that is in the future. A job that is not
   * paused does not change; one that is exhausted gets all attempts of its retry policy again.
   *
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED).
   */
  public Job resume(String jobId) {
    return Calls.await(async.resume(jobId));
  }

  /**
   * Ends a job that is PAUSED after a failed attempt, with that failure.
   *
   * @param reason shown to operators; at most 256 characters.
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_FAILED: it is not paused, or
   *     its last attempt has not failed).
   */
  public Job fail(String jobId, String reason) {
    return Calls.await(async.fail(jobId, reason));
  }

  /**
   * Creates a new job with the same specification as a job that has ended, and returns the new one;
   * its {@code retry_of} names the old one.
   *
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED).
   */
  public Job retry(String jobId) {
    return Calls.await(async.retry(jobId));
  }

  /**
   * Lists all matching jobs, newest first, without their inputs and results. Pages are fetched as
   * the stream is read.
   *
   * @param filter {@code JobFilter.getDefaultInstance()} matches every job of the namespace.
   */
  public Stream<Job> list(JobFilter filter) {
    return pages(
        token -> async.list(filter, PAGE_SIZE, token),
        ListJobsResponse::getNextPageToken,
        ListJobsResponse::getJobsList);
  }

  /**
   * Watches a job: its current state, then its state after each change, until it has ended. Changes
   * in quick succession are merged into one. A lost connection is reopened; no change is reported
   * twice. Closing the stream ends the watch; a waiting reader fails with CANCELLED.
   *
   * <pre>{@code
   * try (Stream<Job> changes = client.watch(jobId)) {
   *   changes.map(Job::getState).forEach(System.out::println);
   * }
   * }</pre>
   *
   * @return A stream for one reader. It makes no call before it is read, and fails with a {@link
   *     MusterException}: NOT_FOUND; RESOURCE_EXHAUSTED when there are too many watches;
   *     UNAVAILABLE when the control plane stays out of reach.
   */
  public Stream<Job> watch(String jobId) {
    return JobWatch.of(async.calls(), jobId).stream();
  }

  /**
   * Reads the log records of the job's handlers: by attempt, and within an attempt in the order of
   * writing. Pages are fetched as the stream is read. The newest 64 KiB of an attempt are kept;
   * each record says how many records before it are missing ({@code skipped_count}). Texts are
   * unchanged, control characters included.
   *
   * @param attempt Only records of this attempt. 0: of all.
   * @throws MusterException NOT_FOUND when there is no such job.
   */
  public Stream<LogRecord> logs(String jobId, int attempt) {
    return pages(
        token -> async.logs(jobId, attempt, LOG_PAGE_SIZE, token),
        ListAttemptLogsResponse::getNextPageToken,
        ListAttemptLogsResponse::getRecordsList);
  }

  /** Reads the log records of all attempts of the job. */
  public Stream<LogRecord> logs(String jobId) {
    return logs(jobId, 0);
  }

  /**
   * Works like {@link #logs(String, int)}, and continues until the job or the attempt has ended:
   * each record arrives once, within milliseconds after the control plane receives it. A lost
   * connection is reopened. Closing the stream ends it; a waiting reader fails with CANCELLED.
   *
   * @param attempt Only records of this attempt. 0: of all.
   * @return A stream for one reader. It makes no call before it is read, and fails with a {@link
   *     MusterException}: NOT_FOUND; RESOURCE_EXHAUSTED when too many callers follow logs;
   *     UNAVAILABLE when the control plane stays out of reach.
   */
  public Stream<LogRecord> followLogs(String jobId, int attempt) {
    return AttemptLogs.of(async.calls(), jobId, attempt).stream();
  }

  /** Follows the log records of all attempts of the job. */
  public Stream<LogRecord> followLogs(String jobId) {
    return followLogs(jobId, 0);
  }

  /**
   * Creates an open batch without members. A batch is a set of jobs that are submitted and followed
   * as one.
   *
   * @throws MusterException INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) when the callback's
   *     definition does not exist.
   * @throws PayloadException when the callback's input can't be written as JSON.
   */
  public BatchHandle createBatch(BatchOptions options) {
    String jobId = Calls.await(async.createBatch(options)).getJob().getJobId();
    // The caller's request id is for this call only.
    return withRequestId("").batch(jobId);
  }

  /** Returns a handle of an existing batch, by its job's id. Makes no call. */
  public BatchHandle batch(String batchJobId) {
    return new BatchHandle(this, batchJobId);
  }

  /**
   * Stores a definition, or a new version of it if it differs from the newest one, and reports
   * which. A definition without a body is a task for the handler of the same name.
   */
  public ApplyJobDefinitionResponse applyDefinition(JobDefinition definition) {
    return Calls.await(async.applyDefinition(definition));
  }

  /**
   * Ends all jobs that wait for the signal. If none does, the signal is kept for the first job that
   * will.
   *
   * @param payload The result of the jobs that the signal ends; null: an empty one.
   * @throws MusterException RESOURCE_EXHAUSTED (SIGNALS_FULL) when 1,000 signals of its name and
   *     key are kept.
   */
  public SendSignalResponse sendSignal(String name, Object payload, SignalOptions options) {
    return Calls.await(async.sendSignal(name, payload, options));
  }

  /** Sends a signal with the empty key. */
  public SendSignalResponse sendSignal(String name, Object payload) {
    return sendSignal(name, payload, SignalOptions.NONE);
  }

  /**
   * Ends a job that waits for an approval. Its result contains {@code approved}, the comment and
   * the payload.
   *
   * @param comment Free text; may be empty.
   * @param payload Null: none.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job does not
   *     wait for an approval.
   */
  public Job approve(String jobId, String comment, Object payload) {
    return Calls.await(async.approve(jobId, comment, payload));
  }

  /**
   * Ends a job that waits for an approval as failed, without a retry.
   *
   * @param reason Free text of at most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job does not
   *     wait for an approval.
   */
  public Job reject(String jobId, String reason) {
    return Calls.await(async.reject(jobId, reason));
  }

  private static <P, T> Stream<T> pages(
      Function<String, CompletableFuture<P>> ask,
      Function<P, String> nextToken,
      Function<P, List<T>> items) {
    return Stream.iterate(
            Calls.await(ask.apply("")),
            page -> page != null,
            page ->
                nextToken.apply(page).isEmpty()
                    ? null
                    : Calls.await(ask.apply(nextToken.apply(page))))
        .flatMap(page -> items.apply(page).stream());
  }

  /** Closes the connection; calls in progress fail with UNAVAILABLE or CANCELLED. */
  @Override
  public void close() {
    async.calls().channel().shutdownNow();
  }
}
