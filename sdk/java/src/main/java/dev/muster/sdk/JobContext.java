package dev.muster.sdk;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.v1.Job;
import dev.muster.v1.Payload;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The job that a handler works on. Any thread may use it; after the handler has returned, what is
 * said is not heard.
 */
public interface JobContext {
  /** UUID of the job. */
  String jobId();

  /** Number of the attempt; rises within a job and may skip. */
  int attempt();

  /** Attempts before this one that counted towards the retry policy. */
  int attemptsCounted();

  /** The job's namespace. */
  String namespace();

  /** Name of the job's definition. */
  String definition();

  /** The version that the job has pinned. */
  int definitionVersion();

  /**
   * Longest time that the handler may run, as its definition says; what it asks for later is not in
   * it.
   */
  Duration runTimeout();

  /** The input as it was submitted, byte for byte. Empty: none was. */
  Optional<Payload> input();

  /**
   * What an earlier attempt left with {@link #checkpoint}. Empty: nothing.
   *
   * @throws PayloadException when it does not fit the class.
   */
  <T> Optional<T> lastCheckpoint(Class<T> type);

  /** The same for every attempt of the job: pass it to services that keep duplicates out. */
  default String idempotencyKey() {
    return jobId();
  }

  /**
   * Higher for each later attempt: a store that remembers the highest can refuse writes of those
   * before.
   */
  default long fencingToken() {
    return attempt();
  }

  /**
   * W3C trace context for what the handler calls: of the handler's own span where the program has
   * set up OpenTelemetry, else of the attempt. Empty: none.
   */
  String traceparent();

  /** The W3C trace state that goes with it. Empty: none. */
  String tracestate();

  /** Whether the handler is asked to stop. */
  default boolean stopped() {
    return stopReason().isPresent();
  }

  /** Why the handler is asked to stop. Empty: it is not. */
  Optional<StopReason> stopReason();

  /**
   * Ends with the reason when the handler is asked to stop. The future is the caller's own; what
   * depends on it runs on the common pool.
   */
  CompletableFuture<StopReason> whenStopped();

  /**
   * Ends the handler if it is asked to stop.
   *
   * @throws HandlerStoppedException if it is.
   */
  default void throwIfStopped() {
    stopReason()
        .ifPresent(
            reason -> {
              throw new HandlerStoppedException(reason);
            });
  }

  /**
   * Waits, but not beyond a request to stop.
   *
   * @throws HandlerStoppedException as soon as the handler is asked to stop.
   */
  void sleep(Duration time);

  /**
   * Says how far the handler is. Sent within a second.
   *
   * @param fraction From 0 to 1; what lies outside is cut.
   * @param message For people; cut at 256 characters.
   */
  void progress(double fraction, String message);

  /** Says how far the handler is, without words. */
  default void progress(double fraction) {
    progress(fraction, "");
  }

  /**
   * Keeps what a later attempt may start from. Sent within a second, and before the report if this
   * attempt fails.
   *
   * @param value As {@link PayloadCodec#encode} takes it.
   * @throws PayloadException when it can't be written, or is larger than the server takes.
   */
  void checkpoint(Object value);

  /**
   * Asks for more time than the run timeout, which still counts from the handler's start; several
   * calls add up. Sent at once where a second could be too late. It moves neither the total timeout
   * of the job nor how long it may be silent, and comes too late once the handler was told to stop
   * for {@link StopReason#RUN_TIMEOUT}.
   *
   * @param more At least a millisecond.
   * @throws IllegalArgumentException when it is not, or would let the handler run for more than 30
   *     days in all.
   */
  void extendRunTimeout(Duration more);

  /**
   * Writes a record to the attempt's log, which {@code muster logs} shows soon after, and to the
   * worker's logger, with the job's id, the attempt and the trace. Kept are the newest 64 KiB of an
   * attempt, as long as its job; what is dropped shows as a gap.
   *
   * @param message Cut after 8 KiB.
   * @param fields Facts that belong to it: text as it is, anything else as JSON. At most 32, and 8
   *     KiB together with the message; the rest is dropped.
   */
  void log(LogLevel level, String message, Map<String, ?> fields);

  /** Writes a record without fields to the attempt's log. */
  default void log(LogLevel level, String message) {
    log(level, message, Map.of());
  }

  /** Writes a record of the level INFO to the attempt's log. */
  default void log(String message) {
    log(LogLevel.INFO, message);
  }

  /**
   * Stores a child of the job. When the handler runs again, the same call gives the child that was
   * made before: children are told apart by their key, or by their number, so a handler submits the
   * same ones in the same order each time it runs.
   *
   * @param input As {@link PayloadCodec#encode} takes it; null: none.
   * @return UUID of the child.
   * @throws MusterException FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED) where the attempt is not
   *     the worker's any more; ALREADY_EXISTS (IDEMPOTENCY_CONFLICT) where an earlier run has
   *     submitted another job in its place.
   */
  String submit(String definition, Object input, ChildOptions options);

  /** Stores a child of the job that its number tells apart. */
  default String submit(String definition, Object input) {
    return submit(definition, input, ChildOptions.NONE);
  }

  /**
   * The results of children, in their order, once all have ended. Until then it throws {@link
   * WaitsForChildren}, which the handler lets pass: the job gives its place and permits back, and
   * the handler runs again, from its start, when they have.
   *
   * @param childIds UUIDs of the children.
   * @throws JobFailedException when one of them ended without a result.
   */
  <T> List<T> results(Collection<String> childIds, Class<T> type);

  /** As {@link #results(Collection, Class)}, for types with parameters. */
  <T> List<T> results(Collection<String> childIds, TypeReference<T> type);

  /** As {@link #results(Collection, Class)}, but gives the jobs, whatever became of them. */
  List<Job> ended(Collection<String> childIds);
}
