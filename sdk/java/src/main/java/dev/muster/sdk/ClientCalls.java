package dev.muster.sdk;

import dev.muster.sdk.internal.transport.Calls;
import dev.muster.sdk.internal.transport.Channels;
import dev.muster.sdk.internal.worker.Tracing;
import dev.muster.v1.Payload;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * State that all calls of a client share.
 *
 * @param requestId Empty: a new one for each call.
 * @param batchJobId The batch that submitted jobs join. Empty: none.
 */
record ClientCalls(
    ManagedChannel channel,
    String address,
    String namespace,
    Duration timeout,
    TransportRetry retry,
    PayloadCodec codec,
    Tracing tracing,
    String requestId,
    String batchJobId) {

  <Q, R> CompletableFuture<R> make(MethodDescriptor<Q, R> method, Q request) {
    return make(method, request, new Metadata());
  }

  <Q, R> CompletableFuture<R> make(MethodDescriptor<Q, R> method, Q request, Metadata headers) {
    return Calls.make(channel, method, request, timeout, share(), retry, headers);
  }

  /** A patient call waits on the server on purpose. */
  private Duration share() {
    boolean isPatient = retry.equals(retry.patient());
    return Channels.namesSeveral(address) && !isPatient ? Calls.share(timeout) : timeout;
  }

  String newRequestId() {
    return requestId.isEmpty() ? UUID.randomUUID().toString() : requestId;
  }

  /** Null stays null. */
  Payload encode(Object value) {
    return value == null ? null : codec.encode(value);
  }

  ClientCalls withTimeout(Duration time) {
    return new ClientCalls(
        channel, address, namespace, time, retry, codec, tracing, requestId, batchJobId);
  }

  ClientCalls withRequestId(String id) {
    return new ClientCalls(
        channel, address, namespace, timeout, retry, codec, tracing, id, batchJobId);
  }

  ClientCalls withBatch(String jobId) {
    return new ClientCalls(
        channel, address, namespace, timeout, retry, codec, tracing, requestId, jobId);
  }

  ClientCalls patient() {
    return new ClientCalls(
        channel,
        address,
        namespace,
        timeout,
        retry.patient(),
        codec,
        tracing,
        requestId,
        batchJobId);
  }
}
