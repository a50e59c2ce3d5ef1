package dev.muster.sdk.internal.worker;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.internal.Uuids;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.Job;
import dev.muster.v1.JobState;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import dev.muster.worker.v1.AttemptReport;
import io.grpc.Status;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Children of a job without a worker: they run when its handler waits for them. */
public final class DetachedChildren implements ChildCalls {
  /** Runs children. */
  public interface Runner {
    /** Whether it runs children of this definition. */
    boolean knows(String definition);

    /** Runs a child to its end. */
    AttemptReport run(String jobId, JobSubmission child);
  }

  private record Child(String jobId, JobSubmission submission) {}

  private final Runner runner;
  private final Map<String, Child> byKey = new LinkedHashMap<>();
  private final Map<String, Job> jobs = new LinkedHashMap<>();

  public DetachedChildren(Runner runner) {
    this.runner = runner;
  }

  /** All submitted children, in order. */
  public synchronized List<JobSubmission> submissions() {
    return byKey.values().stream().map(Child::submission).toList();
  }

  /** Runs the children that the handler waits for. */
  void finish(List<ByteString> childIds) {
    for (ByteString id : childIds) {
      Child child = open(Uuids.text(id));
      if (child != null) {
        AttemptReport report = runner.run(child.jobId(), child.submission());
        synchronized (this) {
          jobs.put(child.jobId(), ended(jobs.get(child.jobId()), report));
        }
      }
    }
  }

  private synchronized Child open(String jobId) {
    return byKey.values().stream()
        .filter(child -> child.jobId().equals(jobId))
        .filter(child -> jobs.get(jobId).getState() == JobState.JOB_STATE_READY)
        .findFirst()
        .orElse(null);
  }

  private static Job ended(Job job, AttemptReport report) {
    Job.Builder ended = job.toBuilder();
    if (report.hasResult()) {
      return ended.setState(JobState.JOB_STATE_SUCCEEDED).setResult(report.getResult()).build();
    }
    return ended.setState(JobState.JOB_STATE_FAILED).setFailure(report.getFailure()).build();
  }

  @Override
  public String sessionId() {
    return "";
  }

  @Override
  public synchronized CompletableFuture<SubmitJobResponse> submit(SubmitJobRequest request) {
    JobSubmission submission = request.getJob();
    if (!runner.knows(submission.getDefinition())) {
      return refused(
          Status.Code.NOT_FOUND,
          "DEFINITION_NOT_FOUND",
          "the test does not say what children of the definition "
              + submission.getDefinition()
              + " give: call child of HandlerTest first");
    }
    Child before = byKey.get(submission.getIdempotencyKey());
    if (before != null && !before.submission().equals(submission)) {
      return refused(
          Status.Code.ALREADY_EXISTS,
          "IDEMPOTENCY_CONFLICT",
          "an earlier run of the handler has submitted another child in the place of this one");
    }
    Child child = before == null ? accept(request) : before;
    return CompletableFuture.completedFuture(
        SubmitJobResponse.newBuilder().setJobId(child.jobId()).setExisting(before != null).build());
  }

  private Child accept(SubmitJobRequest request) {
    JobSubmission submission = request.getJob();
    Child child = new Child(UUID.randomUUID().toString(), submission);
    byKey.put(submission.getIdempotencyKey(), child);
    Job.Builder job =
        Job.newBuilder()
            .setJobId(child.jobId())
            .setDefinition(submission.getDefinition())
            .setParentJobId(request.getParent().getJobId())
            .putAllLabels(submission.getLabelsMap())
            .setState(JobState.JOB_STATE_READY);
    if (submission.hasInput()) {
      job.setInput(submission.getInput());
    }
    jobs.put(child.jobId(), job.build());
    return child;
  }

  @Override
  public synchronized CompletableFuture<GetJobResponse> get(String jobId) {
    Job job = jobs.get(jobId);
    if (job == null) {
      return refused(
          Status.Code.NOT_FOUND, "JOB_NOT_FOUND", "the handler has no child of the id " + jobId);
    }
    return CompletableFuture.completedFuture(GetJobResponse.newBuilder().setJob(job).build());
  }

  private static <T> CompletableFuture<T> refused(Status.Code code, String reason, String why) {
    return CompletableFuture.failedFuture(MusterException.of(code, reason, why, Map.of()));
  }
}
