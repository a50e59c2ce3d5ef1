package dev.muster.sdk;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.sdk.internal.Times;
import dev.muster.sdk.internal.worker.SubmitSpan;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.ApproveJobRequest;
import dev.muster.v1.ApproveJobResponse;
import dev.muster.v1.CancelJobRequest;
import dev.muster.v1.CancelJobResponse;
import dev.muster.v1.ExplainJobRequest;
import dev.muster.v1.ExplainJobResponse;
import dev.muster.v1.GetJobRequest;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.JobDefinitionServiceGrpc;
import dev.muster.v1.JobExplanation;
import dev.muster.v1.JobFilter;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.ListJobsRequest;
import dev.muster.v1.ListJobsResponse;
import dev.muster.v1.Payload;
import dev.muster.v1.RejectJobRequest;
import dev.muster.v1.RejectJobResponse;
import dev.muster.v1.RetryJobRequest;
import dev.muster.v1.RetryJobResponse;
import dev.muster.v1.SendEventRequest;
import dev.muster.v1.SendEventResponse;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import dev.muster.v1.SubmitJobsRequest;
import dev.muster.v1.TaskBody;
import dev.muster.v1.WaitJobRequest;
import dev.muster.v1.WaitJobResponse;
import dev.muster.v1.WaitServiceGrpc;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The calls of a {@link Client} without waiting. Each future fails with what the same method of
 * {@code Client} throws; cancelling the one that a method answered ends its call.
 */
public final class AsyncClient {
  /** Longest time that one call waits on the server. */
  private static final Duration POLL = Duration.ofSeconds(30);

  /** Time that a waiting call gets on top, for the way there and back. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  private final ClientCalls calls;

  AsyncClient(ClientCalls calls) {
    this.calls = calls;
  }

  ClientCalls calls() {
    return calls;
  }

  /** As {@link Client#submit(String, Object, SubmitOptions)}. */
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
        response -> submitted(response),
        (job, thrown) -> span.end(job == null ? "" : job.jobId(), thrown));
  }

  /** As {@link Client#submit(String, Object)}. */
  public CompletableFuture<SubmittedJob> submit(String definition, Object input) {
    return submit(definition, input, SubmitOptions.NONE);
  }

  /** As {@link Client#submitMany}. */
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

  /** As {@link Client#get}. */
  public CompletableFuture<Job> get(String jobId) {
    GetJobRequest request =
        GetJobRequest.newBuilder().setNamespace(calls.namespace()).setJobId(jobId).build();
    return Chain.map(calls.make(JobServiceGrpc.getGetJobMethod(), request), GetJobResponse::getJob);
  }

  /** As {@link Client#explain}. */
  public CompletableFuture<JobExplanation> explain(String jobId) {
    ExplainJobRequest request =
        ExplainJobRequest.newBuilder().setNamespace(calls.namespace()).setJobId(jobId).build();
    return Chain.map(
        calls.make(JobServiceGrpc.getExplainJobMethod(), request),
        ExplainJobResponse::getExplanation);
  }

  /** As {@link Client#waitFor}. */
  public CompletableFuture<Job> waitFor(String jobId, Duration timeout) {
    CompletableFuture<Job> result = new CompletableFuture<>();
    poll(jobId, System.nanoTime(), timeout, result);
    return result;
  }

  /** As {@link Client#result(String, Class, Duration)}. */
  public <T> CompletableFuture<T> result(String jobId, Class<T> type, Duration timeout) {
    return Chain.map(
        waitFor(jobId, timeout), job -> calls.codec().decode(JobResults.of(job), type));
  }

  /** As {@link Client#result(String, TypeReference, Duration)}. */
  public <T> CompletableFuture<T> result(String jobId, TypeReference<T> type, Duration timeout) {
    return Chain.map(
        waitFor(jobId, timeout), job -> calls.codec().decode(JobResults.of(job), type));
  }

  /** As {@link Client#cancel}. */
  public CompletableFuture<Job> cancel(String jobId, String reason) {
    CancelJobRequest request =
        CancelJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setReason(reason)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getCancelJobMethod(), request), CancelJobResponse::getJob);
  }

  /** As {@link Client#retry}. */
  public CompletableFuture<Job> retry(String jobId) {
    RetryJobRequest request =
        RetryJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getRetryJobMethod(), request), RetryJobResponse::getJob);
  }

  /**
   * One page of {@link Client#list}.
   *
   * @param pageSize Jobs on a page, at most 1,000. 0: 50.
   * @param pageToken That of the page before. Empty: the first page.
   */
  public CompletableFuture<ListJobsResponse> list(
      JobFilter filter, int pageSize, String pageToken) {
    ListJobsRequest.Builder request =
        ListJobsRequest.newBuilder()
            .setNamespace(calls.namespace())
            .addAllStates(filter.getStatesList())
            .setDefinition(filter.getDefinition())
            .setQueue(filter.getQueue())
            .putAllLabels(filter.getLabelsMap())
            .addAllFailureTypes(filter.getFailureTypesList())
            .setParentJobId(filter.getParentJobId())
            .setPageSize(pageSize)
            .setPageToken(pageToken);
    if (filter.hasMinCreateTime()) {
      request.setMinCreateTime(filter.getMinCreateTime());
    }
    if (filter.hasMaxCreateTime()) {
      request.setMaxCreateTime(filter.getMaxCreateTime());
    }
    return calls.make(JobServiceGrpc.getListJobsMethod(), request.build());
  }

  /** As {@link Client#applyDefinition}. */
  public CompletableFuture<ApplyJobDefinitionResponse> applyDefinition(JobDefinition definition) {
    JobDefinition.Builder said = definition.toBuilder();
    if (said.getNamespace().isEmpty()) {
      said.setNamespace(calls.namespace());
    }
    if (said.getBodyCase() == JobDefinition.BodyCase.BODY_NOT_SET) {
      said.setTask(TaskBody.getDefaultInstance());
    }
    ApplyJobDefinitionRequest request =
        ApplyJobDefinitionRequest.newBuilder()
            .setDefinition(said)
            .setRequestId(calls.newRequestId())
            .build();
    return calls.make(JobDefinitionServiceGrpc.getApplyJobDefinitionMethod(), request);
  }

  /** As {@link Client#sendEvent(String, Object, EventOptions)}. */
  public CompletableFuture<SendEventResponse> sendEvent(
      String name, Object payload, EventOptions options) {
    SendEventRequest.Builder request =
        options.event().toBuilder().setNamespace(calls.namespace()).setName(name);
    if (request.getEventId().isEmpty()) {
      request.setEventId(calls.newRequestId());
    }
    if (payload != null) {
      request.setPayload(calls.encode(payload));
    }
    return calls.make(WaitServiceGrpc.getSendEventMethod(), request.build());
  }

  /** As {@link Client#approve}. */
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
        calls.make(WaitServiceGrpc.getApproveJobMethod(), request.build()),
        ApproveJobResponse::getJob);
  }

  /** As {@link Client#reject}. */
  public CompletableFuture<Job> reject(String jobId, String reason) {
    RejectJobRequest request =
        RejectJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setReason(reason)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(WaitServiceGrpc.getRejectJobMethod(), request), RejectJobResponse::getJob);
  }

  /** Asks again and again: each call waits on the server for a while. */
  private void poll(String jobId, long start, Duration timeout, CompletableFuture<Job> result) {
    Duration left = timeout.minusNanos(System.nanoTime() - start);
    Duration wait = left.compareTo(POLL) < 0 ? (left.isNegative() ? Duration.ZERO : left) : POLL;
    WaitJobRequest request =
        WaitJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setTimeout(Times.durationOf(wait))
            .build();
    // A wait outlives a restart of the control plane: it is bounded by time, not by a number of
    // tries.
    CompletableFuture<WaitJobResponse> call =
        calls
            .patient()
            .withTimeout(wait.plus(SLACK))
            .make(JobServiceGrpc.getWaitJobMethod(), request);
    Chain.cancelWith(result, call);
    call.whenComplete(
        (response, thrown) -> {
          if (thrown != null) {
            result.completeExceptionally(Chain.cause(thrown));
          } else if (JobResults.isTerminal(response.getJob().getState())
              || timeout.minusNanos(System.nanoTime() - start).compareTo(Duration.ZERO) <= 0) {
            result.complete(response.getJob());
          } else if (!result.isDone()) {
            poll(jobId, start, timeout, result);
          }
        });
  }

  private SubmitSpan spanOf(List<String> definitions) {
    return SubmitSpan.start(calls.tracing(), calls.address(), calls.namespace(), definitions);
  }

  private JobSubmission submission(JobRequest job) {
    Payload input = calls.encode(job.input());
    return job.options().submission(job.definition(), input);
  }

  private static SubmittedJob submitted(SubmitJobResponse response) {
    return new SubmittedJob(response.getJobId(), response.getExisting());
  }

  private static String onlyId(List<SubmittedJob> jobs) {
    return jobs != null && jobs.size() == 1 ? jobs.get(0).jobId() : "";
  }
}
