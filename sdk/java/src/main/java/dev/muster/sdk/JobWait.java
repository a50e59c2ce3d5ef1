package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.Job;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.WaitJobRequest;
import dev.muster.v1.WaitJobResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Waits for a job's end, by calls that each wait on the server for a limited time. */
final class JobWait {
  /** Maximum time that one call waits on the server. */
  private static final Duration POLL = Duration.ofSeconds(30);

  /** Time added to the call's timeout for the network round trip. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  private final ClientCalls calls;
  private final String jobId;
  private final Duration timeout;
  private final long start = System.nanoTime();

  private final CompletableFuture<Job> result = new CompletableFuture<>();

  private JobWait(ClientCalls calls, String jobId, Duration timeout) {
    // A wait outlives a restart of the control plane: time bounds it, not a number of tries.
    this.calls = calls.patient();
    this.jobId = jobId;
    this.timeout = timeout;
  }

  /** Completes with the job when it has ended or the timeout has passed, whichever is first. */
  static CompletableFuture<Job> forEnd(ClientCalls calls, String jobId, Duration timeout) {
    JobWait wait = new JobWait(calls, jobId, timeout);
    wait.poll();
    return wait.result;
  }

  private void poll() {
    Duration left = left();
    Duration wait = left.compareTo(POLL) < 0 ? (left.isNegative() ? Duration.ZERO : left) : POLL;
    WaitJobRequest request =
        WaitJobRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setTimeout(Times.durationOf(wait))
            .build();
    CompletableFuture<WaitJobResponse> call =
        calls.withTimeout(wait.plus(SLACK)).make(JobServiceGrpc.getWaitJobMethod(), request);
    Chain.cancelWith(result, call);
    call.whenComplete((response, thrown) -> answered(response, Chain.cause(thrown)));
  }

  private void answered(WaitJobResponse response, Throwable failure) {
    if (failure != null) {
      result.completeExceptionally(failure);
    } else if (JobResults.isTerminal(response.getJob().getState())
        || left().compareTo(Duration.ZERO) <= 0) {
      result.complete(response.getJob());
    } else if (!result.isDone()) {
      poll();
    }
  }

  private Duration left() {
    return timeout.minusNanos(System.nanoTime() - start);
  }
}
