package dev.muster.sdk.internal.worker;

import dev.muster.sdk.TransportRetry;
import dev.muster.sdk.internal.transport.Calls;
import dev.muster.v1.GetJobRequest;
import dev.muster.v1.GetJobResponse;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.SubmitJobRequest;
import dev.muster.v1.SubmitJobResponse;
import io.grpc.Channel;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Calls for children over gRPC. */
final class GrpcChildCalls implements ChildCalls {
  /**
   * How long a call is repeated, so that a restart of the control plane does not fail the handler.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final TransportRetry RETRY = TransportRetry.DEFAULT.patient();

  private final Channel channel;
  private final String address;
  private final String namespace;
  private final Tracing tracing;

  /** UUID of the worker's session. */
  private volatile String sessionId = "";

  /**
   * @param address The channel's address, for the spans.
   */
  GrpcChildCalls(Channel channel, String address, String namespace, Tracing tracing) {
    this.channel = channel;
    this.address = address;
    this.namespace = namespace;
    this.tracing = tracing;
  }

  void sessionOpened(String openedId) {
    sessionId = openedId;
  }

  @Override
  public String sessionId() {
    return sessionId;
  }

  @Override
  public CompletableFuture<SubmitJobResponse> submit(SubmitJobRequest request) {
    List<String> definitions = List.of(request.getJob().getDefinition());
    SubmitSpan span = SubmitSpan.start(tracing, address, namespace, definitions);
    CompletableFuture<SubmitJobResponse> call =
        Calls.make(
            channel,
            JobServiceGrpc.getSubmitJobMethod(),
            request.toBuilder().setNamespace(namespace).build(),
            PATIENCE,
            PATIENCE,
            RETRY,
            span.headers());
    call.whenComplete((child, thrown) -> span.end(child == null ? "" : child.getJobId(), thrown));
    return call;
  }

  @Override
  public CompletableFuture<GetJobResponse> get(String jobId) {
    return Calls.make(
        channel,
        JobServiceGrpc.getGetJobMethod(),
        GetJobRequest.newBuilder().setNamespace(namespace).setJobId(jobId).build(),
        PATIENCE,
        PATIENCE,
        RETRY,
        new Metadata());
  }
}
