package dev.muster.sdk.internal.transport;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.TransportRetry;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.List;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Follows streams that may break, and reopens them after the last item received. It has one reader,
 * which requests the next item only after it has received the previous one; so only {@link #close}
 * needs a lock.
 *
 * @param <M> A message of a stream.
 * @param <T> An item for the reader.
 */
public final class Following<M, T> implements AutoCloseable {
  /** The new items of a message, and whether it is the last message. */
  public record Received<T>(List<T> items, boolean isLast) {}

  private final TransportRetry retry;
  private final Supplier<ServerStream<?, M>> open;
  private final Function<M, Received<T>> take;
  private final Queue<T> pending = new ArrayDeque<>();
  private boolean isOver;

  /** Consecutive failures since the last message. */
  private int failures;

  private volatile ServerStream<?, M> stream;
  private volatile CompletableFuture<T> asked = new CompletableFuture<>();
  private volatile boolean closed;

  /**
   * Makes no call before its reader requests an item.
   *
   * @param open Opens a stream that continues after the last item received.
   * @param take Reads a message, and remembers where the next stream must continue.
   */
  public Following(
      TransportRetry retry, Supplier<ServerStream<?, M>> open, Function<M, Received<T>> take) {
    this.retry = retry;
    this.open = open;
    this.take = take;
  }

  /** The items as a blocking stream. */
  public Stream<T> stream() {
    Spliterator<T> reader =
        new Spliterators.AbstractSpliterator<T>(
            Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL) {
          @Override
          public boolean tryAdvance(Consumer<? super T> action) {
            T item = Calls.await(next());
            if (item != null) {
              action.accept(item);
            }
            return item != null;
          }
        };
    return StreamSupport.stream(reader, false).onClose(this::close);
  }

  /**
   * Passes each item to the reader. An exception of the reader ends it, and so does cancelling the
   * future.
   */
  public CompletableFuture<Void> forEach(Consumer<? super T> reader) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    end.whenComplete((nothing, thrown) -> close());
    deliver(reader, end);
    return end;
  }

  private void deliver(Consumer<? super T> reader, CompletableFuture<Void> end) {
    while (!end.isDone()) {
      CompletableFuture<T> next = next();
      boolean isThere = next.isDone();
      next.whenComplete(
          (item, thrown) -> {
            deliverOne(reader, end, item, thrown);
            if (!isThere) {
              deliver(reader, end);
            }
          });
      if (!isThere) {
        return;
      }
    }
  }

  private void deliverOne(
      Consumer<? super T> reader, CompletableFuture<Void> end, T item, Throwable thrown) {
    if (thrown != null) {
      end.completeExceptionally(thrown);
    } else if (item == null) {
      end.complete(null);
    } else if (!end.isDone()) {
      try {
        reader.accept(item);
      } catch (RuntimeException | Error unwilling) {
        end.completeExceptionally(unwilling);
      }
    }
  }

  /** The next item; null: there are no more. Fails with a {@link MusterException}. */
  private CompletableFuture<T> next() {
    CompletableFuture<T> next = new CompletableFuture<>();
    next.whenComplete(
        (item, thrown) -> {
          if (next.isCancelled()) {
            close();
          }
        });
    asked = next;
    if (!pending.isEmpty() || isOver) {
      next.complete(pending.poll());
    } else if (closed) {
      next.completeExceptionally(ended());
    } else {
      pull(next);
    }
    return next;
  }

  private void pull(CompletableFuture<T> next) {
    if (next.isDone()) {
      return;
    }
    if (stream == null) {
      stream = open.get();
    }
    ServerStream<?, M> present = stream;
    if (closed) {
      present.cancel();
    }
    present
        .next()
        .whenComplete(
            (message, thrown) -> {
              if (thrown != null) {
                lost(next, MusterException.of(thrown));
              } else if (message == null) {
                lost(
                    next,
                    MusterException.of(
                        Status.Code.UNAVAILABLE,
                        "the server ended the stream before its last message"));
              } else {
                receive(next, message);
              }
            });
  }

  private void receive(CompletableFuture<T> next, M message) {
    failures = 0;
    Received<T> received = take.apply(message);
    pending.addAll(received.items());
    isOver = received.isLast();
    if (isOver) {
      stream.cancel();
    }
    if (pending.isEmpty() && !isOver) {
      pull(next);
    } else {
      next.complete(pending.poll());
    }
  }

  private void lost(CompletableFuture<T> next, MusterException failure) {
    stream = null;
    OptionalLong wait = Calls.backoff(retry, ++failures, failure);
    if (wait.isEmpty()) {
      next.completeExceptionally(failure);
      return;
    }
    CompletableFuture.delayedExecutor(wait.getAsLong(), TimeUnit.NANOSECONDS)
        .execute(() -> pull(next));
  }

  /** Ends the following: a waiting reader fails with CANCELLED. */
  @Override
  public void close() {
    closed = true;
    ServerStream<?, M> present = stream;
    if (present != null) {
      present.cancel();
    }
    asked.completeExceptionally(ended());
  }

  private static MusterException ended() {
    return MusterException.of(Status.Code.CANCELLED, "the caller ended the call");
  }
}
