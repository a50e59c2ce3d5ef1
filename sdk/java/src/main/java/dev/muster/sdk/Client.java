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
import dev.muster.v1.SendEventResponse;
import io.grpc.Channel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A connection to Muster: submits jobs and follows them.
 *
 * <pre>{@code
 * try (Client client = Client.builder("localhost:7070").build()) {
 *   SubmittedJob job = client.submit("greet", new Person("Ada"));
 *   String greeting = client.result(job.jobId(), String.class, Duration.ofMinutes(1));
 * }
 * }</pre>
 *
 * <p>Every method fails with a {@link MusterException}. UNAVAILABLE is repeated a bounded number of
 * times under one request id, so that a repeated submission is the same job. An interrupt ends a
 * call with CANCELLED. Any number of threads may use one client.
 */
public final class Client implements AutoCloseable {
  private static final int PAGE_SIZE = 100;
  private static final int LOG_PAGE_SIZE = 200;

  private final AsyncClient async;

  Client(AsyncClient async) {
    this.async = async;
  }

  /**
   * Begins to say what a client is to be.
   *
   * @param address gRPC target of the control plane, such as {@code localhost:7070} or {@code
   *     dns:///muster:7070}.
   */
  public static ClientBuilder builder(String address) {
    return new ClientBuilder(address);
  }

  /** The same calls without waiting. */
  public AsyncClient async() {
    return async;
  }

  /**
   * The connection, for the generated stubs of all services, such as {@code
   * QueueServiceGrpc.newBlockingStub(client.channel())}. {@link MusterException#of(Throwable)}
   * reads what they throw.
   */
  public Channel channel() {
    return async.calls().channel();
  }

  /**
   * This client with another longest time of a call, repeats included. It shares the connection.
   */
  public Client withTimeout(Duration timeout) {
    return new Client(new AsyncClient(async.calls().withTimeout(timeout)));
  }

  /**
   * This client with a UUID that makes repeats of one call harmless, over restarts of this process
   * too. It is for one call; without it each has a new one.
   */
  public Client withRequestId(String requestId) {
    return new Client(new AsyncClient(async.calls().withRequestId(requestId)));
  }

  /** This client, whose submissions become members of an open batch. */
  public Client withBatch(String batchJobId) {
    return new Client(new AsyncClient(async.calls().withBatch(batchJobId)));
  }

  /**
   * Stores a job; when it answers, the job is committed.
   *
   * @param definition Name of the definition.
   * @param input As {@link PayloadCodec#encode} takes it; null: none.
   * @throws PayloadException when the input can't be written as JSON.
   */
  public SubmittedJob submit(String definition, Object input, SubmitOptions options) {
    return Calls.await(async.submit(definition, input, options));
  }

  /** Stores a job that is run as its definition says. */
  public SubmittedJob submit(String definition, Object input) {
    return submit(definition, input, SubmitOptions.NONE);
  }

  /** Stores up to 10,000 jobs of at most 3 MiB together, all or none; answers in their order. */
  public List<SubmittedJob> submitMany(List<JobRequest> jobs) {
    return Calls.await(async.submitMany(jobs));
  }

  /**
   * Reads a job as it is now.
   *
   * @throws MusterException NOT_FOUND when there is no such job.
   */
  public Job get(String jobId) {
    return Calls.await(async.get(jobId));
  }

  /**
   * Says why a job is where it is: what keeps it from starting, who holds that and when it opens,
   * its place in line, and an estimate of its start; who has it; how it ended. Its summary is all
   * of it in sentences.
   */
  public JobExplanation explain(String jobId) {
    return Calls.await(async.explain(jobId));
  }

  /**
   * Waits until the job has ended or the time is up, and answers the job as it is then. A handler
   * that waits holds its place meanwhile; {@link JobContext#results} does not.
   *
   * @throws MusterException FAILED_PRECONDITION (DEADLOCK) in a handler that holds what the job
   *     needs.
   */
  public Job waitFor(String jobId, Duration timeout) {
    return Calls.await(async.waitFor(jobId, timeout));
  }

  /**
   * Waits for the job's end and answers what its handler returned.
   *
   * @param type What the result is read as, by {@link PayloadCodec}.
   * @throws JobFailedException when it ended without a result.
   * @throws MusterException DEADLINE_EXCEEDED when the time is up before.
   * @throws PayloadException when the result does not fit the class.
   */
  public <T> T result(String jobId, Class<T> type, Duration timeout) {
    return Calls.await(async.result(jobId, type, timeout));
  }

  /** As {@link #result(String, Class, Duration)}, for types with parameters. */
  public <T> T result(String jobId, TypeReference<T> type, Duration timeout) {
    return Calls.await(async.result(jobId, type, timeout));
  }

  /**
   * Asks a job to stop and answers it as it is then: CANCELLED, or CANCELLING while its handler has
   * yet to return.
   *
   * @param reason Why, for people. At most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED) when it has ended otherwise.
   */
  public Job cancel(String jobId, String reason) {
    return Calls.await(async.cancel(jobId, reason));
  }

  /**
   * Holds a job that waits, and answers it as it is then. Its expiry goes on. Pausing twice is no
   * error.
   *
   * @param reason Why, for people. At most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED, JOB_NOT_WAITING).
   */
  public Job pause(String jobId, String reason) {
    return Calls.await(async.pause(jobId, reason));
  }

  /**
   * Lets a paused job go on: at once, or at its run time if that is still to come. One that is not
   * paused stays as it is.
   *
   * @throws MusterException FAILED_PRECONDITION (JOB_ENDED).
   */
  public Job resume(String jobId) {
    return Calls.await(async.resume(jobId));
  }

  /**
   * Makes a new job like one that has ended, and answers it; its {@code retry_of} names the old
   * one.
   *
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED).
   */
  public Job retry(String jobId) {
    return Calls.await(async.retry(jobId));
  }

  /**
   * All jobs that match, newest first, without their inputs and results; pages are fetched as the
   * stream is read.
   *
   * @param filter {@code JobFilter.getDefaultInstance()}: every job of the namespace.
   */
  public Stream<Job> list(JobFilter filter) {
    return pages(
        token -> async.list(filter, PAGE_SIZE, token),
        ListJobsResponse::getNextPageToken,
        ListJobsResponse::getJobsList);
  }

  /**
   * The job as it is now, then each time it has changed, until it has ended. Changes that follow
   * each other closely are folded into one. A connection that is lost is made anew; no change is
   * told twice. Closing the stream ends the watch, also for a reader who waits: with CANCELLED.
   *
   * <pre>{@code
   * try (Stream<Job> changes = client.watch(jobId)) {
   *   changes.map(Job::getState).forEach(System.out::println);
   * }
   * }</pre>
   *
   * @return For one reader. It asks for nothing before it is read, and fails with a {@link
   *     MusterException}: NOT_FOUND; RESOURCE_EXHAUSTED, when too many watch; UNAVAILABLE, when the
   *     control plane stays out of reach.
   */
  public Stream<Job> watch(String jobId) {
    return JobWatch.of(async.calls(), jobId).stream();
  }

  /**
   * What the job's handlers have logged: by attempt, and in each in the order of writing; pages are
   * fetched as the stream is read. Each record says how many before it are missing ({@code
   * skipped}): the newest 64 KiB of an attempt are kept. Texts are as the handler wrote them,
   * control characters included.
   *
   * @param attempt Only of this one. 0: of all.
   * @throws MusterException NOT_FOUND when there is no such job.
   */
  public Stream<LogRecord> logs(String jobId, int attempt) {
    return pages(
        token -> async.logs(jobId, attempt, LOG_PAGE_SIZE, token),
        ListAttemptLogsResponse::getNextPageToken,
        ListAttemptLogsResponse::getRecordsList);
  }

  /** What the handlers of all attempts of the job have logged. */
  public Stream<LogRecord> logs(String jobId) {
    return logs(jobId, 0);
  }

  /**
   * As {@link #logs(String, int)}, and goes on until the job has ended, or the attempt is over:
   * each record comes within milliseconds of its arrival at the control plane, once. A connection
   * that is lost is made anew. Closing the stream ends it, also for a reader who waits: with
   * CANCELLED.
   *
   * @param attempt Only of this one. 0: of all.
   * @return For one reader. It asks for nothing before it is read, and fails with a {@link
   *     MusterException}: NOT_FOUND; RESOURCE_EXHAUSTED, when too many follow logs; UNAVAILABLE,
   *     when the control plane stays out of reach.
   */
  public Stream<LogRecord> followLogs(String jobId, int attempt) {
    return AttemptLogs.of(async.calls(), jobId, attempt).stream();
  }

  /** Follows what the handlers of all attempts of the job log. */
  public Stream<LogRecord> followLogs(String jobId) {
    return followLogs(jobId, 0);
  }

  /**
   * Makes an open batch without members: jobs that are submitted and followed as one.
   *
   * @throws MusterException INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) of the callback.
   * @throws PayloadException when the callback's input can't be written as JSON.
   */
  public BatchHandle createBatch(BatchOptions options) {
    String jobId = Calls.await(async.createBatch(options)).getJob().getJobId();
    // A request id of the caller's is for this call alone.
    return withRequestId("").batch(jobId);
  }

  /** A batch that is there, by its job's id. Asks nothing. */
  public BatchHandle batch(String batchJobId) {
    return new BatchHandle(this, batchJobId);
  }

  /**
   * Stores a definition, or a new version of it where it differs from the newest, and says which.
   * One without a body is a task that the handler of the same name runs.
   */
  public ApplyJobDefinitionResponse applyDefinition(JobDefinition definition) {
    return Calls.await(async.applyDefinition(definition));
  }

  /**
   * Ends all jobs that wait for the event; where none does, it is kept for the first that will.
   *
   * @param payload The result of the jobs that it reaches; null: an empty one.
   * @throws MusterException RESOURCE_EXHAUSTED (EVENTS_FULL) when 1,000 of its name and key are
   *     kept.
   */
  public SendEventResponse sendEvent(String name, Object payload, EventOptions options) {
    return Calls.await(async.sendEvent(name, payload, options));
  }

  /** Sends an event with the empty key. */
  public SendEventResponse sendEvent(String name, Object payload) {
    return sendEvent(name, payload, EventOptions.NONE);
  }

  /**
   * Ends a job that waits for an approval; its result says {@code approved}, and the comment and
   * the payload that you give.
   *
   * @param comment For people; may be empty.
   * @param payload Null: none.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when it does not wait
   *     for one.
   */
  public Job approve(String jobId, String comment, Object payload) {
    return Calls.await(async.approve(jobId, comment, payload));
  }

  /**
   * Ends a job that waits for an approval as failed, for good.
   *
   * @param reason Why, for people. At most 256 characters; may be empty.
   * @throws MusterException FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when it does not wait
   *     for one.
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

  /** Ends the connection; calls under way fail with UNAVAILABLE or CANCELLED. */
  @Override
  public void close() {
    async.calls().channel().shutdownNow();
  }
}
