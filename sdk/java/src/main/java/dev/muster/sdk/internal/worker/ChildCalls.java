package dev.muster.sdk.internal.worker;

import dev.muster.v1.GetJobResponse;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import java.util.concurrent.CompletableFuture;

/** The calls of handlers for children. */
interface ChildCalls {
  /** UUID of the worker's session. */
  String sessionId();

  /** Stores a child. The implementation sets the namespace. */
  CompletableFuture<SubmitJobResponse> submit(SubmitJobRequest request);

  CompletableFuture<GetJobResponse> get(String jobId);
}
