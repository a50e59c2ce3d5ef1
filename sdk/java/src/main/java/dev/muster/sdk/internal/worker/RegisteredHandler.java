package dev.muster.sdk.internal.worker;

import dev.muster.sdk.JobContext;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.PayloadException;
import dev.muster.sdk.Versions;
import dev.muster.v1.Handler;
import dev.muster.v1.Payload;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * A registered handler.
 *
 * @param versions The versions that it serves.
 * @param body Its function.
 */
public record RegisteredHandler(Versions versions, Body body) {
  /** Runs an attempt with encoded input and result. */
  @FunctionalInterface
  public interface Body {
    /**
     * Does the work, or starts it.
     *
     * @param input Null: none.
     * @return The result, or a {@link CompletionStage} of one.
     */
    Object run(JobContext context, Payload input) throws Exception;
  }

  /** The handler of a decoded input. */
  @FunctionalInterface
  public interface Call<I> {
    Object run(JobContext context, I input) throws Exception;
  }

  /**
   * A body that decodes its input first. An input that can't be decoded fails the job without a
   * retry.
   */
  public static <I> Body reading(Function<Payload, I> reader, Call<I> call) {
    return (context, payload) -> call.run(context, read(reader, payload));
  }

  private static <I> I read(Function<Payload, I> reader, Payload payload) {
    try {
      return reader.apply(payload);
    } catch (PayloadException unreadable) {
      throw new JobFailure("PayloadException", unreadable.getMessage(), unreadable).nonRetryable();
    }
  }

  public Handler message(String name) {
    return Handler.newBuilder()
        .setName(name)
        .setMinVersion(versions.min())
        .setMaxVersion(versions.max())
        .build();
  }
}
