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
 * The job that a handler works on. It is thread-safe. After the handler has returned, updates are
 * ignored.
 */
public interface JobContext {
  /** UUID of the job. */
  String jobId();

  /** Number of the attempt. It increases within a job, possibly with gaps. */
  int attempt();

  /** Number of earlier attempts that counted towards the retry policy. */
  int attemptCount();

  /** The job's namespace. */
  String namespace();

  /** Name of the job's definition. */
  String definition();

  /** The version of the definition that the job is pinned to. */
  int definitionVersion();

  /**
   * Maximum run time of the handler as its definition sets it, without extensions that the handler
   * has requested.
   */
  Duration runTimeout();

  /** The submitted input, byte for byte. Empty: none. */
  Optional<Payload> input();

  /**
   * Reads the {@link #checkpoint} of an earlier attempt. Empty: there is none.
   *
   * @throws PayloadException when it does not fit the class.
   */
  <T> Optional<T> lastCheckpoint(Class<T> type);

  /** The same for every attempt of the job. Pass it to services that reject duplicates. */
  default String idempotencyKey() {
    return jobId();
  }

  /**
   * Higher for each later attempt: a store that remembers the highest token can refuse writes of
   * earlier attempts.
   */
  default long fencingToken() {
    return attempt();
  }

  /**
   * W3C trace context for calls of the handler: that of the handler's span if the program has set
   * up OpenTelemetry, else that of the attempt. Empty: none.
   */
  String traceparent();

  /** The W3C trace state that belongs to the trace context. Empty: none. */
  String tracestate();

  /** Whether the handler is asked to stop. */
  default boolean stopped() {
    return stopReason().isPresent();
  }

  /** Why the handler is asked to stop. Empty: it is not. */
  Optional<StopReason> stopReason();

  /**
   * Completes with the reason when the handler is asked to stop. Each call returns its own future;
   * dependent stages run on the common pool.
   */
  CompletableFuture<StopReason> whenStopped();

  /**
   * Throws if the handler is asked to stop.
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
   * Waits until the time has passed or the handler is asked to stop.
   *
   * @throws HandlerStoppedException as soon as the handler is asked to stop.
   */
  void sleep(Duration time);

  /**
   * Reports the handler's progress. Sent within a second.
   *
   * @param fraction Limited to the range from 0 to 1.
   * @param message Readable text, cut after 256 characters.
   */
  void progress(double fraction, String message);

  /**
   * Reports the handler's progress as a count of units. Sent within a second.
   *
   * @param message Readable text, cut after 256 characters.
   */
  void progress(ProgressCounts counts, String message);

  /** Reports the handler's progress as a count of units, without a message. */
  default void progress(ProgressCounts counts) {
    progress(counts, "");
  }

  /** Reports the handler's progress without a message. */
  default void progress(double fraction) {
    progress(fraction, "");
  }

  /**
   * Stores a value from which a later attempt may continue. Sent within a second, and before the
   * report if this attempt fails.
   *
   * @param value A value that {@link PayloadCodec#encode} accepts.
   * @throws PayloadException when it can't be encoded, or is larger than the server accepts.
   */
  void checkpoint(Object value);

  /**
   * Ends this run of the handler without counting it: the handler must throw what this returns.
   * Call it when the handler is asked to stop for {@link StopReason#SUSPENDED}: it runs again from
   * its start once the job is resumed. When nobody has asked, it runs again soon.
   *
   * <pre>{@code
   * if (context.stopReason().isPresent()) {
   *   throw context.suspend(page);
   * }
   * }</pre>
   *
   * @param checkpoint Where it continues then, as for {@link #checkpoint}. Null: at the last
   *     checkpoint.
   * @throws PayloadException as for {@link #checkpoint}.
   */
  HandlerSuspended suspend(Object checkpoint);

  /**
   * Requests more time than the run timeout, which still counts from the handler's start; several
   * calls add up. Sent at once if a second could be too late. It changes neither the job's total
   * timeout nor its progress timeout, and has no effect once the handler was stopped for {@link
   * StopReason#RUN_TIMEOUT}.
   *
   * @param more At least a millisecond.
   * @throws IllegalArgumentException when it is less, or would let the handler run for more than 30
   *     days in total.
   */
  void extendRunTimeout(Duration more);

  /**
   * Writes a record to the attempt's log, which {@code muster logs} shows soon after, and to the
   * worker's logger, with the job's id, the attempt and the trace. The newest 64 KiB of an attempt
   * are kept, for as long as its job is kept; dropped records show as a gap.
   *
   * @param message Cut after 8 KiB.
   * @param fields Structured fields: text stays unchanged, other values become JSON. At most 32,
   *     and at most 8 KiB together with the message; the rest is dropped.
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
   * Stores a child of the job. When the handler runs again, the same call returns the child that
   * was created before. Children are identified by their key, or by their number if they have no
   * key, so a handler must submit the same children in the same order each time it runs.
   *
   * @param input A value that {@link PayloadCodec#encode} accepts; null: none.
   * @return UUID of the child.
   * @throws MusterException FAILED_PRECONDITION (PARENT_ATTEMPT_CLOSED) when the worker no longer
   *     owns the attempt; ALREADY_EXISTS (IDEMPOTENCY_CONFLICT) when an earlier run submitted a
   *     different job as this child.
   */
  String submit(String definition, Object input, ChildOptions options);

  /** Stores a child of the job that is identified by its number. */
  default String submit(String definition, Object input) {
    return submit(definition, input, ChildOptions.NONE);
  }

  /**
   * Returns the results of children, in the given order, once all have ended. Until then it throws
   * {@link WaitsForChildren}, which the handler must not catch: the job gives back its slot and
   * permits, and the handler runs again from its start when the children have ended.
   *
   * @param childIds UUIDs of the children.
   * @throws JobFailedException when one of them ended without a result.
   */
  <T> List<T> results(Collection<String> childIds, Class<T> type);

  /** Works like {@link #results(Collection, Class)}, for types with parameters. */
  <T> List<T> results(Collection<String> childIds, TypeReference<T> type);

  /**
   * Works like {@link #results(Collection, Class)}, but returns the ended jobs, with whatever
   * result.
   */
  List<Job> ended(Collection<String> childIds);
}
