package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.CancelJobRequest;
import dev.muster.v1.CancelJobResponse;
import dev.muster.v1.FailJobRequest;
import dev.muster.v1.FailJobResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.PauseJobRequest;
import dev.muster.v1.PauseJobResponse;
import dev.muster.v1.ResumeJobRequest;
import dev.muster.v1.ResumeJobResponse;
import dev.muster.v1.RetryJobRequest;
import dev.muster.v1.RetryJobResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The calls of a client that change submitted jobs. */
final class JobChanges {
  private final ClientCalls calls;

  JobChanges(ClientCalls calls) {
    this.calls = calls;
  }

  CompletableFuture<Job> cancel(String jobId, String reason) {
    return cancel(CancelJobRequest.newBuilder().setJobId(jobId).setReason(reason));
  }

  CompletableFuture<Job> cancel(String jobId, String reason, Duration grace) {
    return cancel(
        CancelJobRequest.newBuilder()
            .setJobId(jobId)
            .setReason(reason)
            .setGrace(Times.durationOf(grace)));
  }

  private CompletableFuture<Job> cancel(CancelJobRequest.Builder request) {
    request.setNamespace(calls.namespace()).setRequestId(calls.newRequestId());
    return Chain.map(
        calls.make(JobServiceGrpc.getCancelJobMethod(), request.build()),
        CancelJobResponse::getJob);
  }

  CompletableFuture<Job> pause(String jobId, PauseOptions options) {
    PauseJobRequest request =
        options.pause().toBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getPauseJobMethod(), request), PauseJobResponse::getJob);
  }

  CompletableFuture<Job> resume(String jobId) {
    ResumeJobRequest request =
        ResumeJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getResumeJobMethod(), request), ResumeJobResponse::getJob);
  }

  CompletableFuture<Job> fail(String jobId, String reason) {
    FailJobRequest request =
        FailJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setReason(reason)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getFailJobMethod(), request), FailJobResponse::getJob);
  }

  CompletableFuture<Job> retry(String jobId) {
    RetryJobRequest request =
        RetryJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setRequestId(calls.newRequestId())
            .build();
    return Chain.map(
        calls.make(JobServiceGrpc.getRetryJobMethod(), request), RetryJobResponse::getJob);
  }
}
