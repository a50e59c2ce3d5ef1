package dev.muster.sdk.internal.transport;

import dev.muster.sdk.MusterException;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;

/**
 * The messages of a streaming call; each is requested separately. There is no deadline: keep-alive
 * of the channel detects a dead connection.
 */
public final class ServerStream<Q, R> {
  private final ClientCall<Q, R> call;

  // Guards the fields below.
  private CompletableFuture<R> asked;

  /** The result of the call, once it is over. */
  private CompletableFuture<R> end;

  public ServerStream(Channel channel, MethodDescriptor<Q, R> method, Q request) {
    call = channel.newCall(method, CallOptions.DEFAULT);
    call.start(new Listener(), new Metadata());
    call.sendMessage(request);
    call.halfClose();
  }

  /**
   * The next message; null: there are no more. Request it only after the previous one has arrived.
   * Fails with a {@link MusterException}.
   */
  CompletableFuture<R> next() {
    CompletableFuture<R> message = new CompletableFuture<>();
    synchronized (this) {
      if (end != null) {
        return end;
      }
      asked = message;
    }
    call.request(1);
    return message;
  }

  void cancel() {
    call.cancel("the caller ended the call", null);
  }

  private final class Listener extends ClientCall.Listener<R> {
    @Override
    public void onMessage(R message) {
      CompletableFuture<R> reader;
      synchronized (ServerStream.this) {
        reader = asked;
        asked = null;
      }
      reader.complete(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      CompletableFuture<R> over =
          status.isOk()
              ? CompletableFuture.completedFuture(null)
              : CompletableFuture.failedFuture(
                  MusterException.of(status.asRuntimeException(trailers)));
      CompletableFuture<R> reader;
      synchronized (ServerStream.this) {
        end = over;
        reader = asked;
      }
      if (reader != null) {
        over.whenComplete(
            (nothing, failure) -> {
              if (failure == null) {
                reader.complete(null);
              } else {
                reader.completeExceptionally(failure);
              }
            });
      }
    }
  }
}
