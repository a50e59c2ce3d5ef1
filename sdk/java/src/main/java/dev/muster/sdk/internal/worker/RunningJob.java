package dev.muster.sdk.internal.worker;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.muster.sdk.ChildOptions;
import dev.muster.sdk.HandlerStoppedException;
import dev.muster.sdk.HandlerSuspended;
import dev.muster.sdk.LogLevel;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.PayloadException;
import dev.muster.sdk.ProgressCounts;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.core.CorePorts;
import dev.muster.sdk.internal.core.Limits;
import dev.muster.sdk.internal.core.LogTail;
import dev.muster.v1.Job;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import io.grpc.Status;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** A job whose handler runs, or is about to. */
abstract class RunningJob extends AssignedJob implements CorePorts.Running, Runnable {

  private enum State {
    QUEUED,
    ENTERED,
    WITHDRAWN,
    ENDED
  }

  private final RegisteredHandler.Body body;
  private final System.Logger logger;
  private final Children children;
  private final HandlerSpan span;
  private final HandlerEnds ends;
  private final CompletableFuture<StopReason> stopSignal = new CompletableFuture<>();

  // Guards the fields below.
  private State state = State.QUEUED;
  private StopReason stopped;

  /** The thread that the handler was called on, until it has returned. */
  private Thread thread;

  private Progress progress;
  private Payload checkpoint;
  private long extensionMs;
  private boolean extended;
  private final LogTail logs = new LogTail();
  private long logged;
  private AttemptReport outcome;

  /** Whether there are reports that were not taken yet. */
  private boolean spoken;

  RunningJob(
      Assignment assignment,
      RegisteredHandler.Body body,
      PayloadCodec codec,
      System.Logger logger,
      ChildCalls calls,
      Tracing tracing) {
    super(assignment, codec);
    this.body = body;
    this.logger = logger;
    children = new Children(calls, codec, jobId(), assignment.getAttempt());
    span = tracing.handlerSpan(assignment);
    ends = new HandlerEnds(span, codec);
  }

  /** Maximum size of a checkpoint in bytes; 0: no limit. */
  abstract int maxPayload();

  /** Called when the job has reports to take. */
  abstract void spoke();

  /** Whether its handler may be entered; false: it was taken back. */
  abstract boolean mayEnter() throws InterruptedException;

  @Override
  public final void run() {
    try {
      if (!mayEnter() || !enter()) {
        return;
      }
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
      return;
    }
    Object returned;
    try (Scope inSpan = span.start()) {
      returned = body.run(this, assignment().hasInput() ? assignment().getInput() : null);
    } catch (Throwable thrown) {
      leave();
      failed(thrown);
      return;
    }
    leave();
    if (returned instanceof CompletionStage<?> stage) {
      follow(stage);
    } else {
      succeeded(returned);
    }
  }

  /** Called when the executor rejects the handler. */
  void refuse(Throwable refused) {
    synchronized (this) {
      state = State.ENTERED;
    }
    failed(refused);
  }

  /** The stage may be the user's own class, and throw in this call. */
  private void follow(CompletionStage<?> stage) {
    try {
      stage.whenComplete(this::completed);
    } catch (Throwable thrown) {
      failed(thrown);
    }
  }

  private void completed(Object value, Throwable thrown) {
    if (thrown == null) {
      succeeded(value);
    } else {
      failed(thrown);
    }
  }

  private void succeeded(Object value) {
    end(ends.ofResult(value));
  }

  private void failed(Throwable thrown) {
    end(ends.ofThrown(thrown));
  }

  private void end(AttemptReport ended) {
    speak(
        () -> {
          state = State.ENDED;
          outcome = ended;
        });
  }

  private synchronized boolean enter() {
    if (state != State.QUEUED) {
      return false;
    }
    state = State.ENTERED;
    thread = Thread.currentThread();
    if (stopped != null) {
      thread.interrupt();
    }
    return true;
  }

  /** An interrupt for the handler must not reach later work of the thread. */
  private synchronized void leave() {
    thread = null;
    Thread.interrupted();
  }

  @Override
  public final synchronized boolean hasStarted() {
    return state == State.ENTERED || state == State.ENDED;
  }

  @Override
  public final synchronized boolean withdraw() {
    if (state == State.QUEUED) {
      state = State.WITHDRAWN;
    }
    return state == State.WITHDRAWN;
  }

  final synchronized boolean isWithdrawn() {
    return state == State.WITHDRAWN;
  }

  @Override
  public final void stop(StopReason reason) {
    synchronized (this) {
      if (stopped != null) {
        return;
      }
      stopped = reason;
      if (thread != null) {
        thread.interrupt();
      }
    }
    // Dependent stages are the handler's, and must not block this thread.
    stopSignal.completeAsync(() -> reason);
  }

  /** All reports since the last call. */
  final synchronized HandlerHost.Words takeWords() {
    spoken = false;
    HandlerHost.Words words =
        new HandlerHost.Words(
            progress, checkpoint, extended ? extensionMs : 0, logs.take(), outcome);
    progress = null;
    checkpoint = null;
    extended = false;
    outcome = null;
    return words;
  }

  @Override
  public final String traceparent() {
    return span.traceparent();
  }

  @Override
  public final String tracestate() {
    return span.tracestate();
  }

  @Override
  public final synchronized Optional<StopReason> stopReason() {
    return Optional.ofNullable(stopped);
  }

  @Override
  public final CompletableFuture<StopReason> whenStopped() {
    return stopSignal.copy();
  }

  @Override
  public final void sleep(Duration time) {
    throwIfStopped();
    try {
      stopSignal.get(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException over) {
      // The time has passed without a request to stop, except perhaps at this very moment.
    } catch (ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    } catch (InterruptedException interrupted) {
      if (!stopped()) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("the handler's thread was interrupted", interrupted);
      }
    }
    throwIfStopped();
  }

  /** The interrupt of the same request must not affect what the handler does next. */
  @Override
  public final void throwIfStopped() {
    Optional<StopReason> reason = stopReason();
    if (reason.isPresent()) {
      Thread.interrupted();
      throw new HandlerStoppedException(reason.get());
    }
  }

  @Override
  public final void progress(double fraction, String message) {
    Progress said = ProgressReports.of(fraction, message);
    speak(() -> progress = said);
  }

  @Override
  public final void progress(ProgressCounts counts, String message) {
    Progress said = ProgressReports.of(counts, message);
    speak(() -> progress = said);
  }

  @Override
  public final void checkpoint(Object value) {
    Payload left = codec().encode(value);
    int size = left.getData().size();
    if (maxPayload() > 0 && size > maxPayload()) {
      throw new PayloadException(
          "the checkpoint has " + size + " bytes; the maximum is " + maxPayload());
    }
    speak(() -> checkpoint = left);
  }

  @Override
  public final HandlerSuspended suspend(Object checkpoint) {
    if (checkpoint != null) {
      checkpoint(checkpoint);
    }
    return new HandlerSuspended();
  }

  @Override
  public final void extendRunTimeout(Duration more) {
    if (more.toMillis() <= 0) {
      throw new IllegalArgumentException("a run timeout can't be extended by " + more);
    }
    speak(
        () -> {
          long longest = runTimeout().toMillis() + extensionMs + more.toMillis();
          if (longest > Limits.MAX_RUN_TIME) {
            throw new IllegalArgumentException(
                "the handler could run for " + longest + " ms; the maximum is 30 days");
          }
          extensionMs += more.toMillis();
          extended = true;
        });
  }

  @Override
  public final void log(LogLevel level, String message, Map<String, ?> fields) {
    speak(() -> logs.add(LogRecords.of(++logged, Instant.now(), level, message, fields)));
    System.Logger.Level at = LogRecords.systemLevel(level);
    if (logger.isLoggable(at)) {
      Map<String, Object> facts = new LinkedHashMap<>(fields);
      facts.put("jobId", jobId());
      facts.put("attempt", attempt());
      if (!traceparent().isEmpty()) {
        facts.put("traceparent", traceparent());
      }
      logger.log(at, () -> message + " " + facts);
    }
  }

  @Override
  public final String submit(String definition, Object input, ChildOptions options) {
    return interruptibly(() -> children.submit(definition, input, options));
  }

  @Override
  public final <T> List<T> results(Collection<String> childIds, Class<T> type) {
    return interruptibly(() -> children.results(childIds, result -> codec().decode(result, type)));
  }

  @Override
  public final <T> List<T> results(Collection<String> childIds, TypeReference<T> type) {
    return interruptibly(() -> children.results(childIds, result -> codec().decode(result, type)));
  }

  @Override
  public final List<Job> ended(Collection<String> childIds) {
    return interruptibly(() -> children.ended(childIds));
  }

  /** If a request to stop interrupts the call, the handler ends as stopped. */
  private <T> T interruptibly(Supplier<T> call) {
    try {
      return call.get();
    } catch (MusterException failure) {
      if (failure.code() == Status.Code.CANCELLED) {
        throwIfStopped();
      }
      throw failure;
    }
  }

  /** Records a report while the handler runs; later reports are ignored. */
  private void speak(Runnable say) {
    boolean first;
    synchronized (this) {
      if (state == State.ENDED) {
        return;
      }
      say.run();
      first = !spoken;
      spoken = true;
    }
    if (first) {
      spoke();
    }
  }
}
