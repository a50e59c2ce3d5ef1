package dev.muster.sdk;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.sdk.internal.core.Slots;
import dev.muster.sdk.internal.worker.RegisteredHandler;
import dev.muster.sdk.internal.worker.WorkerRun;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.OpenSessionRequest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A process that runs jobs:
 *
 * <pre>{@code
 * try (Worker worker = Worker.builder("localhost:7070", "greeter").signals(true).build()) {
 *   worker.handle("greet", Person.class, (ctx, person) -> "hello " + person.name());
 *   worker.run();
 * }
 * }</pre>
 *
 * <p>Register handlers before the worker runs; it runs once. Its session is kept alive on separate
 * threads, however busy the handlers are.
 */
public final class Worker implements AutoCloseable {
  private final WorkerBuilder options;
  private final Map<String, RegisteredHandler> handlers = new LinkedHashMap<>();
  private WorkerRun run;
  private CompletableFuture<Void> finished;

  Worker(WorkerBuilder options) {
    this.options = options;
  }

  /**
   * Creates a builder.
   *
   * @param address gRPC target of the control plane, such as {@code localhost:7070} or {@code
   *     dns:///muster:7070}.
   * @param name Name of the worker in lists; several workers may share it: {@code
   *     ^[a-z0-9][a-z0-9._-]{0,62}$}.
   */
  public static WorkerBuilder builder(String address, String name) {
    return new WorkerBuilder(address, name);
  }

  /**
   * Registers a handler.
   *
   * @param name The handler's name: that of the definition, unless the definition names another
   *     handler.
   * @param input The type as which {@link PayloadCodec} reads the input. An input that does not fit
   *     fails the job without a retry, with a failure of the type {@code PayloadException}.
   * @return This worker.
   * @throws IllegalArgumentException when the name is empty or taken.
   * @throws IllegalStateException when the worker already runs.
   */
  public <I, O> Worker handle(
      String name, Class<I> input, JobHandler<? super I, ? extends O> handler) {
    return handle(name, Versions.ANY, input, handler);
  }

  /** Registers a handler for some versions of its definition. */
  public <I, O> Worker handle(
      String name, Versions versions, Class<I> input, JobHandler<? super I, ? extends O> handler) {
    return register(name, versions, reader(input), (context, in) -> handler.run(context, in));
  }

  /** Works like {@link #handle(String, Class, JobHandler)}, for inputs of types with parameters. */
  public <I, O> Worker handle(
      String name, TypeReference<I> input, JobHandler<? super I, ? extends O> handler) {
    return register(name, Versions.ANY, reader(input), (context, in) -> handler.run(context, in));
  }

  /**
   * Works like {@link #handle(String, Class, JobHandler)}, for handlers that do not block a thread.
   */
  public <I, O> Worker handleAsync(
      String name, Class<I> input, AsyncJobHandler<? super I, ? extends O> handler) {
    return handleAsync(name, Versions.ANY, input, handler);
  }

  /** Registers a handler that does not block a thread, for some versions of its definition. */
  public <I, O> Worker handleAsync(
      String name,
      Versions versions,
      Class<I> input,
      AsyncJobHandler<? super I, ? extends O> handler) {
    return register(
        name,
        versions,
        reader(input),
        (context, in) ->
            Objects.requireNonNull(handler.run(context, in), "the handler returned no stage"));
  }

  /**
   * Starts to run jobs, and returns.
   *
   * @return Completes when the worker has stopped; fails with a {@link MusterException} when the
   *     server permanently refuses it or one of its definitions.
   * @throws IllegalStateException when it ran before, or has no handlers.
   */
  public synchronized CompletableFuture<Void> start() {
    if (run != null) {
      throw new IllegalStateException("a worker runs once");
    }
    if (handlers.isEmpty()) {
      throw new IllegalStateException("a worker needs a handler: call handle first");
    }
    OpenSessionRequest.Builder request = options.request();
    handlers.forEach((name, handler) -> request.addHandlers(handler.message(name)));
    run = new WorkerRun(options.parts(request.build(), Map.copyOf(handlers)));
    finished = run.finished();
    if (options.signals()) {
      StopSignals.listen(this, finished);
    }
    run.start();
    return finished.copy();
  }

  /**
   * Waits for the start. The future completes when the definitions are applied and the first
   * session is open; without a control plane it waits for one. It fails with a {@link
   * MusterException}: the one that ended the start, or CANCELLED when the worker was stopped
   * before.
   *
   * @throws IllegalStateException when the worker does not run.
   */
  public CompletableFuture<Void> started() {
    return running().started();
  }

  /**
   * Runs jobs until {@link #stop}, until the server drains the worker, or, with {@link
   * WorkerBuilder#signals}, until SIGINT or SIGTERM. An interrupt stops the worker; the thread's
   * interrupt status stays set.
   *
   * @throws MusterException when the server permanently refuses the worker or one of its
   *     definitions.
   */
  public void run() {
    CompletableFuture<Void> end = start();
    try {
      end.get();
    } catch (InterruptedException interrupted) {
      close();
      Thread.currentThread().interrupt();
    } catch (ExecutionException failed) {
      throw MusterException.of(failed.getCause());
    }
  }

  /**
   * Stops the worker: it accepts no more jobs, gives back those that have not started, and waits
   * for running handlers. Handlers that still run after {@code timeout} are asked to stop, and
   * their jobs are given back.
   *
   * @return Completes when the worker has stopped.
   */
  public synchronized CompletableFuture<Void> stop(Duration timeout) {
    if (run == null) {
      return CompletableFuture.completedFuture(null);
    }
    WorkerRun running = run;
    if (timeout.isZero() || timeout.isNegative()) {
      running.close();
    } else {
      running.drain();
      CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS)
          .execute(running::close);
    }
    // The caller of start or run receives a failure.
    return finished.handle((nothing, failure) -> null);
  }

  /**
   * Stops the worker, waits up to {@link WorkerBuilder#stopTimeout} for handlers, and returns when
   * it has stopped.
   */
  @Override
  public void close() {
    stop(options.stopTimeout()).join();
  }

  /**
   * Changes the maximum number of concurrent handlers. Running handlers continue.
   *
   * @param slots From 1 to 10,000.
   * @throws IllegalArgumentException when it is out of range.
   * @throws IllegalStateException when the worker does not run.
   */
  public void setSlots(int slots) {
    running().setSlots(Slots.checked(slots));
  }

  /** The UUID of the current session. Empty while there is none. */
  public synchronized Optional<String> sessionId() {
    return run == null ? Optional.empty() : run.sessionId();
  }

  /**
   * The counters as of the last event.
   *
   * @throws IllegalStateException when the worker does not run.
   */
  public WorkerStats stats() {
    return running().stats();
  }

  Duration stopTimeout() {
    return options.stopTimeout();
  }

  private synchronized WorkerRun running() {
    if (run == null) {
      throw new IllegalStateException("the worker does not run: call start or run first");
    }
    return run;
  }

  private <I> Function<Payload, I> reader(Class<I> type) {
    return payload -> options.codec().decode(payload, type);
  }

  private <I> Function<Payload, I> reader(TypeReference<I> type) {
    return payload -> options.codec().decode(payload, type);
  }

  private synchronized <I> Worker register(
      String name, Versions versions, Function<Payload, I> reader, RegisteredHandler.Call<I> call) {
    if (run != null) {
      throw new IllegalStateException("handlers are registered before the worker runs");
    }
    if (name.isEmpty() || handlers.containsKey(name)) {
      throw new IllegalArgumentException(
          name.isEmpty() ? "a handler needs a name" : "two handlers have the name " + name);
    }
    handlers.put(name, new RegisteredHandler(versions, RegisteredHandler.reading(reader, call)));
    return this;
  }
}
