package dev.muster.sdk;

import dev.muster.sdk.internal.transport.Following;
import dev.muster.sdk.internal.transport.Following.Received;
import dev.muster.sdk.internal.transport.ServerStream;
import dev.muster.v1.Job;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.WatchJobRequest;
import dev.muster.v1.WatchJobResponse;
import java.util.List;

/** Watches a job over streams that may break. Revisions that were reported before are skipped. */
final class JobWatch {
  /** The last reported revision. */
  private Long revision;

  private JobWatch() {}

  static Following<WatchJobResponse, Job> of(ClientCalls calls, String jobId) {
    WatchJobRequest request =
        WatchJobRequest.newBuilder().setNamespace(calls.namespace()).setJobId(jobId).build();
    return new Following<>(
        calls.retry(),
        () -> new ServerStream<>(calls.channel(), JobServiceGrpc.getWatchJobMethod(), request),
        new JobWatch()::take);
  }

  private Received<Job> take(WatchJobResponse response) {
    Job job = response.getJob();
    if (revision != null && revision == job.getRevision()) {
      return new Received<>(List.of(), false);
    }
    revision = job.getRevision();
    return new Received<>(List.of(job), JobResults.isTerminal(job.getState()));
  }
}
