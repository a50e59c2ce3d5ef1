package dev.muster.sdk;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.sdk.internal.worker.SubmitSpan;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.ApproveJobRequest;
import dev.muster.v1.ApproveJobResponse;
import dev.muster.v1.Batch;
import dev.muster.v1.BatchServiceGrpc;
import dev.muster.v1.CreateBatchRequest;
import dev.muster.v1.CreateBatchResponse;
import dev.muster.v1.ExplainJobRequest;
import dev.muster.v1.ExplainJobResponse;
import dev.muster.v1.GetBatchRequest;
import dev.muster.v1.GetBatchResponse;
import dev.muster.v1.GetJobRequest;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobDefinitionServiceGrpc;
import dev.muster.v1.JobExplanation;
import dev.muster.v1.JobFilter;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.ListAttemptLogsRequest;
import dev.muster.v1.ListAttemptLogsResponse;
import dev.muster.v1.ListJobsRequest;
import dev.muster.v1.ListJobsResponse;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.RejectJobRequest;
import dev.muster.v1.RejectJobResponse;
import dev.muster.v1.RetryBatchRequest;
import dev.muster.v1.RetryBatchResponse;
import dev.muster.v1.SealBatchRequest;
import dev.muster.v1.SealBatchResponse;
import dev.muster.v1.SendSignalRequest;
import dev.muster.v1.SendSignalResponse;
import dev.muster.v1.SignalServiceGrpc;
import dev.muster.v1.SubmissionResult;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobsRequest;
import dev.muster.v1.TaskBody;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * The non-blocking calls of a {@link Client}. Each future fails with the exception that the same
 * method of {@code Client} throws. Cancelling the returned future ends its call.
 */
public final class AsyncClient {
  private final ClientCalls calls;
  private final JobChanges changes;

  AsyncClient(ClientCalls calls) {
    this.calls = calls;
    this.changes = new JobChanges(calls);
  }

  ClientCalls calls() {
    return calls;
  }

  /** Works like {@link Client#submit(String, Object, SubmitOptions)}. */
  public CompletableFuture<SubmittedJob> submit(
      String definition, Object input, SubmitOptions options) {
    SubmitJobRequest request =
        SubmitJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJob(options.submission(definition, calls.encode(input)))
            .setRequestId(calls.newRequestId())
            .setBatchJobId(calls.batchJobId())
            .build();
    SubmitSpan span = spanOf(List.of(definition));
    return Chain.map(
        calls.make(JobServiceGrpc.getSubmitJobMethod(), request, span.headers()),
        response -> new SubmittedJob(response.getJobId(), response.getExisting()),
        (job, thrown) -> span.end(job == null ? "" : job.jobId(), thrown));
  }

  /** Works like {@link Client#submit(String, Object)}. */
  public CompletableFuture<SubmittedJob> submit(String definition, Object input) {
    return submit(definition, input, SubmitOptions.NONE);
  }

  /** Works like {@link Client#submitMany}. */
  public CompletableFuture<List<SubmittedJob>> submitMany(List<JobRequest> jobs) {
    SubmitJobsRequest request =
        SubmitJobsRequest.newBuilder()
            .setNamespace(calls.namespace())
            .addAllJobs(jobs.stream().map(this::submission).toList())
            .setRequestId(calls.newRequestId())
            .setBatchJobId(calls.batchJobId())
            .build();
    SubmitSpan span = spanOf(jobs.stream().map(JobRequest::definition).toList());
    return Chain.map(
        calls.make(JobServiceGrpc.getSubmitJobsMethod(), request, span.headers()),
        response -> response.getJobsList().stream().map(AsyncClient::submitted).toList(),
        (all, thrown) -> span.end(onlyId(all), thrown));
  }

  /** Works like {@link Client#get}. */
  public CompletableFuture<Job> get(String jobId) {
    GetJobRequest request =
        GetJobRequest.newBuilder().setNamespace(calls.namespace()).setJobId(jobId).build();
    return Chain.map(calls.make(JobServiceGrpc.getGetJobMethod(), request), GetJobResponse::getJob);
  }

  /** Works like {@link Client#explain}. */
  public CompletableFuture<JobExplanation> explain(String jobId) {
    ExplainJobRequest request =
        ExplainJobRequest.newBuilder().setNamespace(calls.namespace()).setJobId(jobId).build();
    return Chain.map(
        calls.make(JobServiceGrpc.getExplainJobMethod(), request),
        ExplainJobResponse::getExplanation);
  }

  /** Works like {@link Client#waitFor}. */
  public CompletableFuture<Job> waitFor(String jobId, Duration timeout) {
    return JobWait.forEnd(calls, jobId, timeout);
  }

  /** Works like {@link Client#result(String, Class, Duration)}. */
  public <T> CompletableFuture<T> result(String jobId, Class<T> type, Duration timeout) {
    return Chain.map(
        waitFor(jobId, timeout), job -> calls.codec().decode(JobResults.of(job), type));
  }

  /** Works like {@link Client#result(String, TypeReference, Duration)}. */
  public <T> CompletableFuture<T> result(String jobId, TypeReference<T> type, Duration timeout) {
    return Chain.map(
        waitFor(jobId, timeout), job -> calls.codec().decode(JobResults.of(job), type));
  }

  /** Works like {@link Client#cancel(String, String)}. */
  public CompletableFuture<Job> cancel(String jobId, String reason) {
    return changes.cancel(jobId, reason);
  }

  /** Works like {@link Client#cancel(String, String, Duration)}. */
  public CompletableFuture<Job> cancel(String jobId, String reason, Duration grace) {
    return changes.cancel(jobId, reason, grace);
  }

  /** Works like {@link Client#pause(String, String)}. */
  public CompletableFuture<Job> pause(String jobId, String reason) {
    return pause(jobId, PauseOptions.NONE.reason(reason));
  }

  /** Works like {@link Client#pause(String, PauseOptions)}. */
  public CompletableFuture<Job> pause(String jobId, PauseOptions options) {
    return changes.pause(jobId, options);
  }

  /** Works like {@link Client#resume}. */
  public CompletableFuture<Job> resume(String jobId) {
    return changes.resume(jobId);
  }

  /** Works like {@link Client#fail}. */
  public CompletableFuture<Job> fail(String jobId, String reason) {
    return changes.fail(jobId, reason);
  }

  /** Works like {@link Client#retry}. */
  public CompletableFuture<Job> retry(String jobId) {
    return changes.retry(jobId);
  }

  /**
   * Reads one page of {@link Client#list}.
   *
   * @param pageSize Jobs per page, at most 1,000. 0: 50.
   * @param pageToken The token of the previous page. Empty: the first page.
   */
  public CompletableFuture<ListJobsResponse> list(
      JobFilter filter, int pageSize, String pageToken) {
    ListJobsRequest request =
        ListJobsRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setFilter(filter)
            .setPageSize(pageSize)
            .setPageToken(pageToken)
            .build();
    return calls.make(JobServiceGrpc.getListJobsMethod(), request);
  }

  /**
   * Works like {@link Client#watch}.
   *
   * @param reader Called with the job, on a thread of the connection; the next change is requested
   *     when it has returned. An exception of the reader ends the watch.
   * @return Completes when the job has ended; cancelling it ends the watch.
   */
  public CompletableFuture<Void> watch(String jobId, Consumer<? super Job> reader) {
    return JobWatch.of(calls, jobId).forEach(reader);
  }

  /**
   * Reads one page of {@link Client#logs(String, int)}.
   *
   * @param attempt Only records of this attempt. 0: of all.
   * @param pageSize Records per page, at most 1,000. 0: 50.
   * @param pageToken The next page token or the resume token of the previous page. Empty: the first
   *     page.
   */
  public CompletableFuture<ListAttemptLogsResponse> logs(
      String jobId, int attempt, int pageSize, String pageToken) {
    ListAttemptLogsRequest request =
        ListAttemptLogsRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setAttempt(attempt)
            .setPageSize(pageSize)
            .setPageToken(pageToken)
            .build();
    return calls.make(JobServiceGrpc.getListAttemptLogsMethod(), request);
  }

  /**
   * Works like {@link Client#followLogs(String, int)}.
   *
   * @param attempt Only records of this attempt. 0: of all.
   * @param reader Called with each record, on a thread of the connection. An exception of the
   *     reader ends it.
   * @return Completes when the job or the attempt has ended; cancelling it ends the calls.
   */
  public CompletableFuture<Void> followLogs(
      String jobId, int attempt, Consumer<? super LogRecord> reader) {
    return AttemptLogs.of(calls, jobId, attempt).forEach(reader);
  }

  /** Works like {@link Client#createBatch}. {@link Client#withBatch} submits members. */
  public CompletableFuture<Batch> createBatch(BatchOptions options) {
    CreateBatchRequest request =
        CreateBatchRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setBatch(options.message(calls::encode))
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(BatchServiceGrpc.getCreateBatchMethod(), request),
        CreateBatchResponse::getBatch);
  }

  /** Works like {@link BatchHandle#get}. */
  public CompletableFuture<Batch> getBatch(String batchJobId) {
    GetBatchRequest request =
        GetBatchRequest.newBuilder().setNamespace(calls.namespace()).setJobId(batchJobId).build();
    return Chain.map(
        calls.make(BatchServiceGrpc.getGetBatchMethod(), request), GetBatchResponse::getBatch);
  }

  /** Works like {@link BatchHandle#seal}. */
  public CompletableFuture<Batch> sealBatch(String batchJobId) {
    SealBatchRequest request =
        SealBatchRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(batchJobId)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(BatchServiceGrpc.getSealBatchMethod(), request), SealBatchResponse::getBatch);
  }

  /** Works like {@link BatchHandle#retry}; returns the new batch. */
  public CompletableFuture<Batch> retryBatch(String batchJobId, String reason) {
    RetryBatchRequest request =
        RetryBatchRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(batchJobId)
            .setReason(reason)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(BatchServiceGrpc.getRetryBatchMethod(), request), RetryBatchResponse::getBatch);
  }

  /** Works like {@link Client#applyDefinition}. */
  public CompletableFuture<ApplyJobDefinitionResponse> applyDefinition(JobDefinition definition) {
    ApplyJobDefinitionRequest request =
        ApplyJobDefinitionRequest.newBuilder()
            .setDefinition(completed(definition, calls.namespace()))
            .setRequestId(calls.newRequestId())
            .build();
    return calls.make(JobDefinitionServiceGrpc.getApplyJobDefinitionMethod(), request);
  }

  /** The definition with the namespace and the body that it has by default. */
  static JobDefinition completed(JobDefinition definition, String namespace) {
    JobDefinition.Builder completed = definition.toBuilder();
    if (completed.getNamespace().isEmpty()) {
      completed.setNamespace(namespace);
    }
    if (completed.getBodyCase() == JobDefinition.BodyCase.BODY_NOT_SET) {
      completed.setTask(TaskBody.getDefaultInstance());
    }
    return completed.build();
  }

  /** Works like {@link Client#sendSignal(String, Object, SignalOptions)}. */
  public CompletableFuture<SendSignalResponse> sendSignal(
      String name, Object payload, SignalOptions options) {
    SendSignalRequest.Builder request =
        options.signal().toBuilder().setNamespace(calls.namespace()).setName(name);
    if (request.getRequestId().isEmpty()) {
      request.setRequestId(calls.newRequestId());
    }
    if (payload != null) {
      request.setPayload(calls.encode(payload));
    }
    return calls.make(SignalServiceGrpc.getSendSignalMethod(), request.build());
  }

  /** Works like {@link Client#approve}. */
  public CompletableFuture<Job> approve(String jobId, String comment, Object payload) {
    ApproveJobRequest.Builder request =
        ApproveJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setComment(comment)
            .setRequestId(calls.newRequestId());
    if (payload != null) {
      request.setPayload(calls.encode(payload));
    }
    return Chain.map(
        calls.make(SignalServiceGrpc.getApproveJobMethod(), request.build()),
        ApproveJobResponse::getJob);
  }

  /** Works like {@link Client#reject}. */
  public CompletableFuture<Job> reject(String jobId, String reason) {
    RejectJobRequest request =
        RejectJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setReason(reason)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(SignalServiceGrpc.getRejectJobMethod(), request), RejectJobResponse::getJob);
  }

  private SubmitSpan spanOf(List<String> definitions) {
    return SubmitSpan.start(calls.tracing(), calls.address(), calls.namespace(), definitions);
  }

  private JobSubmission submission(JobRequest job) {
    Payload input = calls.encode(job.input());
    return job.options().submission(job.definition(), input);
  }

  private static SubmittedJob submitted(SubmissionResult job) {
    return new SubmittedJob(job.getJobId(), job.getExisting());
  }

  private static String onlyId(List<SubmittedJob> jobs) {
    return jobs != null && jobs.size() == 1 ? jobs.get(0).jobId() : "";
  }
}
