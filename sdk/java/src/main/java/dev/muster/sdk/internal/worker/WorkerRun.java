package dev.muster.sdk.internal.worker;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.WorkerEvent;
import dev.muster.sdk.WorkerStats;
import dev.muster.sdk.internal.Uuids;
import dev.muster.sdk.internal.core.CoreEvent;
import dev.muster.sdk.internal.core.CorePorts;
import dev.muster.sdk.internal.core.SessionCore;
import dev.muster.sdk.internal.transport.Channels;
import dev.muster.sdk.internal.transport.GrpcSessionApi;
import dev.muster.sdk.internal.transport.NatsBus;
import dev.muster.v1.JobDefinition;
import dev.muster.worker.v1.OpenSessionRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A running worker: its threads, its connections and its core. */
public final class WorkerRun {
  /** The parts of a worker. */
  public record Parts(
      String address,
      List<JobDefinition> definitions,
      OpenSessionRequest request,
      Map<String, RegisteredHandler> handlers,
      Executor executor,
      PayloadCodec codec,
      Tracing tracing,
      System.Logger logger,
      Consumer<WorkerEvent> onEvent) {}

  private final Parts parts;
  private final CoreThread coreThread = new CoreThread("muster-session", this::fault);
  private final ManagedChannel channel;

  /** Null: handlers run on an executor of the program. */
  private final ExecutorService ownThreads;

  private final HandlerHost host;
  private final SessionCore core;
  private final CompletableFuture<Void> started = new CompletableFuture<>();
  private final CompletableFuture<Void> finished = new CompletableFuture<>();
  private volatile WorkerStats stats;
  private volatile String sessionId;

  /** Whether the core is broken. Accessed on the core's thread only. */
  private boolean faulty;

  public WorkerRun(Parts parts) {
    this.parts = parts;
    channel = Channels.open(parts.address());
    // One thread per handler that the core starts, so never more than there are slots.
    ownThreads = parts.executor() == null ? Executors.newCachedThreadPool(threads()) : null;
    Executor executor = parts.executor() == null ? ownThreads : parts.executor();
    host =
        new HandlerHost(
            parts.handlers(),
            executor,
            coreThread,
            parts.codec(),
            parts.logger(),
            new GrpcChildCalls(
                channel, parts.address(), parts.request().getNamespace(), parts.tracing()),
            parts.tracing());
    core = new SessionCore(parts.definitions(), parts.request(), ports());
    host.serve(core);
    stats = core.statsNow();
  }

  /** Completes when the first session is open; fails when the worker ends before that. */
  public CompletableFuture<Void> started() {
    // What the program does next must not run on the core's thread.
    return started.thenRunAsync(() -> {});
  }

  /** Completes when the worker has ended; fails when the server permanently refuses it. */
  public CompletableFuture<Void> finished() {
    return finished;
  }

  public void start() {
    coreThread.execute(core::start);
  }

  public void drain() {
    coreThread.execute(core::drain);
  }

  /** Asks running handlers to stop, and gives their jobs back. */
  public void close() {
    coreThread.execute(core::close);
  }

  public void setSlots(int slots) {
    coreThread.execute(() -> core.setSlots(slots));
  }

  public WorkerStats stats() {
    return stats;
  }

  /** The UUID of the current session. */
  public Optional<String> sessionId() {
    return Optional.ofNullable(sessionId);
  }

  private CorePorts ports() {
    return new CorePorts(
        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()),
        coreThread,
        () -> ThreadLocalRandom.current().nextDouble(),
        () -> UUID.randomUUID().toString(),
        new GrpcSessionApi(channel, coreThread),
        new NatsBus(coreThread, parts.logger()),
        host,
        this::observe,
        parts.logger());
  }

  private void observe(CoreEvent event) {
    if (faulty) {
      return;
    }
    if (event instanceof CoreEvent.Failed failed) {
      finish(failed.error());
      finished.completeExceptionally(failed.error());
      return;
    }
    if (event instanceof CoreEvent.Opened opened) {
      sessionId = Uuids.text(opened.sessionId());
      host.sessionOpened(sessionId, opened.maxPayload());
      started.complete(null);
    } else if (event instanceof CoreEvent.Lost || event instanceof CoreEvent.Closed) {
      sessionId = null;
    }
    stats = core.statsNow();
    notifyListener(event);
    if (event instanceof CoreEvent.Closed) {
      finish(MusterException.of(Status.Code.CANCELLED, "the worker was stopped before it started"));
      finished.complete(null);
    }
  }

  private void notifyListener(CoreEvent event) {
    try {
      parts.onEvent().accept(wordOf(event));
    } catch (Throwable error) {
      parts
          .logger()
          .log(System.Logger.Level.ERROR, "the listener of a worker's events failed", error);
    }
  }

  private static WorkerEvent wordOf(CoreEvent event) {
    return WorkerEvent.valueOf(event.getClass().getSimpleName().toUpperCase(Locale.ROOT));
  }

  private void fault(Throwable fault) {
    faulty = true;
    try {
      // Otherwise handlers would not stop, and the subscription would stay connected for good.
      core.close();
    } catch (Throwable again) {
      // Expected: the core is broken.
    }
    MusterException failure =
        MusterException.of(Status.Code.INTERNAL, "a fault in the Muster SDK: " + fault);
    finish(failure);
    try {
      parts
          .logger()
          .log(System.Logger.Level.ERROR, "a fault in the Muster SDK ends the worker", fault);
    } finally {
      finished.completeExceptionally(failure);
    }
  }

  /**
   * Handlers that still run were asked to stop; their threads end when they return.
   *
   * @param failure Why the worker has not started, unless it has.
   */
  private void finish(MusterException failure) {
    stats = core.statsNow();
    coreThread.close();
    channel.shutdown();
    if (ownThreads != null) {
      ownThreads.shutdown();
    }
    started.completeExceptionally(failure);
  }

  private static ThreadFactory threads() {
    AtomicInteger number = new AtomicInteger();
    return run -> {
      Thread thread = new Thread(run, "muster-handler-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }
}
