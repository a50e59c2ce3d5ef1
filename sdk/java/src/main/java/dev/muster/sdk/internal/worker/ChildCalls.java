package dev.muster.sdk.internal.worker;

import dev.muster.v1.GetJobResponse;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import java.util.concurrent.CompletableFuture;

/** The calls that handlers make for the sake of children. */
interface ChildCalls {
  /** UUID of the worker's session. */
  String sessionId();

  /** Stores a child. The namespace is filled in. */
  CompletableFuture<SubmitJobResponse> submit(SubmitJobRequest request);

  CompletableFuture<GetJobResponse> get(String jobId);
}
