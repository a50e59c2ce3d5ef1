package dev.muster.sdk.internal.worker;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.internal.core.CorePorts;
import dev.muster.sdk.internal.core.Execution;
import dev.muster.sdk.internal.core.SessionCore;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs handlers on their threads, and passes their reports and ends to the core. Everything that
 * arrived meanwhile is passed in one call.
 */
final class HandlerHost implements CorePorts.Runner {
  private final Map<String, RegisteredHandler> handlers;
  private final Executor executor;
  private final CoreThread coreThread;
  private final PayloadCodec codec;
  private final System.Logger logger;
  private final GrpcChildCalls children;
  private final Tracing tracing;

  /** Attempts with new reports, and attempts that have ended. */
  private final Queue<Attempt> changed = new ConcurrentLinkedQueue<>();

  private final AtomicBoolean passScheduled = new AtomicBoolean();
  private SessionCore core;

  /** Maximum size of a checkpoint in bytes; 0: no limit. */
  private volatile int maxPayload;

  HandlerHost(
      Map<String, RegisteredHandler> handlers,
      Executor executor,
      CoreThread coreThread,
      PayloadCodec codec,
      System.Logger logger,
      GrpcChildCalls children,
      Tracing tracing) {
    this.handlers = handlers;
    this.executor = executor;
    this.coreThread = coreThread;
    this.codec = codec;
    this.logger = logger;
    this.children = children;
    this.tracing = tracing;
  }

  /** Called once, before any handler is started. */
  void serve(SessionCore servedCore) {
    core = servedCore;
  }

  void sessionOpened(String sessionId, int largestPayload) {
    children.sessionOpened(sessionId);
    maxPayload = largestPayload;
  }

  @Override
  public CorePorts.Running start(Execution execution, Assignment assignment) {
    RegisteredHandler handler = handlers.get(assignment.getHandler());
    Attempt attempt = new Attempt(execution, assignment, handler.body());
    try {
      executor.execute(attempt);
    } catch (RejectedExecutionException | OutOfMemoryError refused) {
      // Without a thread only the attempt fails; the worker and its session continue.
      attempt.refuse(refused);
    }
    return attempt;
  }

  private void schedulePass(Attempt attempt) {
    changed.add(attempt);
    if (passScheduled.compareAndSet(false, true)) {
      coreThread.execute(this::passChanged);
    }
  }

  private void passChanged() {
    passScheduled.set(false);
    List<SessionCore.HandlerEnd> ends = new ArrayList<>();
    for (Attempt attempt = changed.poll(); attempt != null; attempt = changed.poll()) {
      AttemptReport outcome = attempt.pass(core);
      if (outcome != null) {
        ends.add(new SessionCore.HandlerEnd(attempt.execution, outcome));
      }
    }
    if (!ends.isEmpty()) {
      core.handlersEnded(ends);
    }
  }

  /** An attempt between the core and its handler. */
  private final class Attempt extends RunningJob {
    private final Execution execution;

    Attempt(Execution execution, Assignment assignment, RegisteredHandler.Body body) {
      super(assignment, body, codec, logger, children, tracing);
      this.execution = execution;
    }

    @Override
    int maxPayload() {
      return maxPayload;
    }

    @Override
    void spoke() {
      schedulePass(this);
    }

    /**
     * A thread that was scheduled late may find that the fence has passed meanwhile: the core then
     * takes back what was not entered.
     */
    @Override
    boolean mayEnter() throws InterruptedException {
      while (!core.mayEnter()) {
        if (!coreThread.executeAndWait(core::watch) || isWithdrawn()) {
          return false;
        }
      }
      return true;
    }

    /** Passes new reports to the core. Returns the handler's outcome once, or null. */
    AttemptReport pass(SessionCore to) {
      Words words = takeWords();
      if (words.progress() != null) {
        to.progress(execution, words.progress());
      }
      if (words.checkpoint() != null) {
        to.checkpoint(execution, words.checkpoint());
      }
      if (words.extensionMs() > 0) {
        to.extendRunTimeout(execution, words.extensionMs());
      }
      for (LogRecord logged : words.logs()) {
        to.log(execution, logged);
      }
      return words.outcome();
    }
  }

  /** The reports of an attempt. */
  record Words(
      Progress progress,
      Payload checkpoint,
      long extensionMs,
      List<LogRecord> logs,
      AttemptReport outcome) {}
}
