package dev.muster.sdk.internal.worker;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.StopReason;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The runs of a handler without a worker: each time it waits for children, they run to their end,
 * and it runs again from its start.
 */
public final class DetachedRuns implements Runnable {
  /** A handler that runs more often is considered endless. */
  private static final int MAX_RUNS = 100;

  private final Assignment assignment;
  private final RegisteredHandler.Body body;
  private final int maxPayload;
  private final PayloadCodec codec;
  private final DetachedChildren children;
  private final CompletableFuture<AttemptReport> outcome = new CompletableFuture<>();

  // Guards the fields below.
  private final List<DetachedJob> runs = new ArrayList<>();
  private StopReason stopped;

  public DetachedRuns(
      Assignment assignment,
      RegisteredHandler.Body body,
      int maxPayload,
      PayloadCodec codec,
      DetachedChildren children) {
    this.assignment = assignment;
    this.body = body;
    this.maxPayload = maxPayload;
    this.codec = codec;
    this.children = children;
  }

  /** Runs the handler on this thread; an asynchronous handler may continue on others. */
  @Override
  public void run() {
    boolean isAgain = true;
    while (isAgain) {
      DetachedJob job = next();
      job.run();
      CompletableFuture<AttemptReport> report = job.outcome();
      if (!report.isDone()) {
        report.thenAcceptAsync(
            ended -> {
              if (goesOn(ended)) {
                run();
              }
            });
        return;
      }
      isAgain = goesOn(report.join());
    }
  }

  /** Whether the handler must run again. */
  private boolean goesOn(AttemptReport report) {
    if (report.getSuspended().getChildJobIdsCount() == 0 || isStopped()) {
      outcome.complete(report);
      return false;
    }
    if (runs().size() == MAX_RUNS) {
      outcome.completeExceptionally(
          new IllegalStateException(
              "the handler waits for children of its job for the " + MAX_RUNS + "th time"));
      return false;
    }
    try {
      children.finish(report.getSuspended().getChildJobIdsList());
    } catch (RuntimeException endless) {
      outcome.completeExceptionally(endless);
      return false;
    }
    return true;
  }

  private synchronized DetachedJob next() {
    Assignment.Builder next =
        assignment.toBuilder().setAttempt(assignment.getAttempt() + runs.size());
    List<Payload> left = runs.stream().flatMap(run -> run.reportedCheckpoints().stream()).toList();
    if (!left.isEmpty()) {
      next.setCheckpoint(left.get(left.size() - 1));
    }
    System.Logger logger = System.getLogger("dev.muster.sdk.testing");
    DetachedJob job =
        new DetachedJob(next.build(), body, maxPayload, codec, logger, children, new Tracing(null));
    if (stopped != null) {
      job.stop(stopped);
    }
    runs.add(job);
    return job;
  }

  /** Asks the handler to stop; it does not run again then. */
  public synchronized void stop(StopReason reason) {
    if (stopped == null) {
      stopped = reason;
      runs.forEach(run -> run.stop(reason));
    }
  }

  private synchronized boolean isStopped() {
    return stopped != null;
  }

  /** The outcome of the last run. */
  public CompletableFuture<AttemptReport> outcome() {
    return outcome;
  }

  /** All runs, in order. */
  public synchronized List<DetachedJob> runs() {
    return List.copyOf(runs);
  }

  public DetachedChildren children() {
    return children;
  }
}
