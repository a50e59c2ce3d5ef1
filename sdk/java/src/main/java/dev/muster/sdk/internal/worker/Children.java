package dev.muster.sdk.internal.worker;

import dev.muster.sdk.ChildOptions;
import dev.muster.sdk.JobResults;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.WaitsForChildren;
import dev.muster.sdk.internal.transport.Calls;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.IdempotencyConflictPolicy;
import dev.muster.v1.Job;
import dev.muster.v1.JobSubmission;
import dev.muster.v1.ParentAttempt;
import dev.muster.v1.Payload;
import dev.muster.v1.SubmitJobRequest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Children of one run of a handler. */
final class Children {
  /** Maximum number of children read concurrently. */
  private static final int AT_ONCE = 20;

  private final ChildCalls calls;
  private final PayloadCodec codec;
  private final ParentAttempt parent;
  private final AtomicInteger submitted = new AtomicInteger();

  Children(ChildCalls calls, PayloadCodec codec, String jobId, int attempt) {
    this.calls = calls;
    this.codec = codec;
    parent =
        ParentAttempt.newBuilder()
            .setJobId(jobId)
            .setAttempt(attempt)
            .setSessionId(calls.sessionId())
            .build();
  }

  String submit(String definition, Object input, ChildOptions options) {
    String key = options.key().orElseGet(() -> Integer.toString(submitted.getAndIncrement()));
    JobSubmission job =
        options.job().submission(definition, input == null ? null : codec.encode(input)).toBuilder()
            .setIdempotencyKey("child/" + parent.getJobId() + "/" + key)
            .setIdempotencyConflictPolicy(
                IdempotencyConflictPolicy.IDEMPOTENCY_CONFLICT_POLICY_USE_EXISTING)
            .build();
    SubmitJobRequest request =
        SubmitJobRequest.newBuilder()
            .setJob(job)
            .setParent(parent.toBuilder().setDetached(options.isDetached()))
            .build();
    return Calls.await(calls.submit(request)).getJobId();
  }

  List<Job> ended(Collection<String> childIds) {
    List<String> ids = List.copyOf(childIds);
    List<Job> jobs = new ArrayList<>();
    for (int at = 0; at < ids.size(); at += AT_ONCE) {
      List<CompletableFuture<GetJobResponse>> asked =
          ids.subList(at, Math.min(ids.size(), at + AT_ONCE)).stream().map(calls::get).toList();
      asked.forEach(answer -> jobs.add(Calls.await(answer).getJob()));
    }
    List<String> open =
        jobs.stream()
            .filter(job -> !JobResults.isTerminal(job.getState()))
            .map(Job::getJobId)
            .toList();
    if (!open.isEmpty()) {
      throw new WaitsForChildren(open);
    }
    return jobs;
  }

  <T> List<T> results(Collection<String> childIds, Function<Payload, T> decode) {
    List<T> results = new ArrayList<>();
    ended(childIds).forEach(job -> results.add(decode.apply(JobResults.of(job))));
    return results;
  }
}
