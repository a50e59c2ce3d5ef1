package dev.muster.sdk.internal.transport;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.TransportRetry;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Unary calls. Calls that failed for transient reasons, not because of their content, are repeated.
 */
public final class Calls {
  private static final int MAX_DOUBLINGS = 20;
  private static final int SHARES = 3;
  private static final Duration MIN_TRY = Duration.ofSeconds(1);

  private Calls() {}

  /**
   * Makes a call. The future fails with the {@link MusterException} of the last try; cancelling it
   * ends the call.
   *
   * @param timeout Maximum duration in total, repeats included.
   * @param share Maximum duration of a try, unless less would be left for another one.
   * @param headers Metadata of the call.
   */
  public static <Q, R> CompletableFuture<R> make(
      Channel channel,
      MethodDescriptor<Q, R> method,
      Q request,
      Duration timeout,
      Duration share,
      TransportRetry retry,
      Metadata headers) {
    Channel target =
        headers.keys().isEmpty()
            ? channel
            : ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    Call<Q, R> call =
        new Call<>(
            target, method, request, retry, nanos(share), System.nanoTime() + nanos(timeout));
    call.attempt(1);
    return call.result;
  }

  /** A share of the time of a call, after which another replica is tried. */
  public static Duration share(Duration timeout) {
    Duration share = timeout.dividedBy(SHARES);
    return share.compareTo(MIN_TRY) < 0 ? MIN_TRY : share;
  }

  /**
   * Waits for a call. An interrupt ends it with CANCELLED; the thread's interrupt status stays set.
   *
   * @throws MusterException of the call.
   */
  public static <R> R await(CompletableFuture<R> result) {
    try {
      return result.get();
    } catch (InterruptedException interrupted) {
      result.cancel(true);
      Thread.currentThread().interrupt();
      throw MusterException.of(Status.Code.CANCELLED, "the thread of the caller was interrupted");
    } catch (ExecutionException failed) {
      throw unchecked(failed.getCause());
    } catch (CompletionException failed) {
      throw unchecked(failed.getCause());
    }
  }

  private static RuntimeException unchecked(Throwable cause) {
    if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof RuntimeException known ? known : MusterException.of(cause);
  }

  /** Nanoseconds until the next try. Empty: there is none. */
  static OptionalLong backoff(TransportRetry retry, int attempt, MusterException failure) {
    // A refusal by a throttle is final: the definition asks for it.
    boolean overloaded =
        failure.code() == Status.Code.RESOURCE_EXHAUSTED
            && failure.retryDelay().isPresent()
            && !failure.reason().equals("THROTTLED");
    boolean repeatable = overloaded || failure.code() == Status.Code.UNAVAILABLE;
    if (!repeatable || attempt >= retry.maxAttempts()) {
      return OptionalLong.empty();
    }
    long doubled = nanos(retry.minBackoff()) << Math.min(attempt - 1, MAX_DOUBLINGS);
    long cap = Math.max(1, Math.min(nanos(retry.maxBackoff()), doubled));
    long asked = failure.retryDelay().map(Calls::nanos).orElse(0L);
    return OptionalLong.of(asked + ThreadLocalRandom.current().nextLong(cap));
  }

  private static long nanos(Duration duration) {
    // Far below the overflow of the clock, and longer than anything lasts.
    return Math.min(TimeUnit.NANOSECONDS.convert(duration), Long.MAX_VALUE / 4);
  }

  private static final class Call<Q, R> {
    private final Channel channel;
    private final MethodDescriptor<Q, R> method;
    private final Q request;
    private final TransportRetry retry;
    private final long share;
    private final long end;
    private final CompletableFuture<R> result = new CompletableFuture<>();

    /** The current try. */
    private volatile ClientCall<Q, R> present;

    Call(
        Channel channel,
        MethodDescriptor<Q, R> method,
        Q request,
        TransportRetry retry,
        long share,
        long end) {
      this.channel = channel;
      this.method = method;
      this.request = request;
      this.retry = retry;
      this.share = share;
      this.end = end;
      result.whenComplete(
          (response, error) -> {
            if (result.isCancelled() && present != null) {
              present.cancel("the caller ended the call", null);
            }
          });
    }

    void attempt(int number) {
      if (result.isDone()) {
        return;
      }
      long left = Math.max(TimeUnit.MILLISECONDS.toNanos(1), end - System.nanoTime());
      boolean isLast = left < share + nanos(MIN_TRY) || number >= retry.maxAttempts();
      long time = isLast ? left : share;
      ClientCall<Q, R> call =
          channel.newCall(
              method, CallOptions.DEFAULT.withDeadlineAfter(time, TimeUnit.NANOSECONDS));
      present = call;
      ClientCalls.asyncUnaryCall(
          call,
          request,
          new StreamObserver<R>() {
            private R response;

            @Override
            public void onNext(R value) {
              response = value;
            }

            @Override
            public void onError(Throwable error) {
              failed(number, isLast, MusterException.of(error));
            }

            @Override
            public void onCompleted() {
              result.complete(response);
            }
          });
      if (result.isCancelled()) {
        call.cancel("the caller ended the call", null);
      }
    }

    private void failed(int number, boolean isLast, MusterException failure) {
      boolean overdue = !isLast && failure.code() == Status.Code.DEADLINE_EXCEEDED;
      OptionalLong wait = overdue ? OptionalLong.of(0) : backoff(retry, number, failure);
      if (wait.isEmpty() || System.nanoTime() + wait.getAsLong() - end >= 0) {
        result.completeExceptionally(failure);
        return;
      }
      CompletableFuture.delayedExecutor(wait.getAsLong(), TimeUnit.NANOSECONDS)
          .execute(() -> attempt(number + 1));
    }
  }
}
