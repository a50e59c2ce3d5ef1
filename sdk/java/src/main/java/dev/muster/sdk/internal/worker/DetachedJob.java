package dev.muster.sdk.internal.worker;

import dev.muster.sdk.PayloadCodec;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A job without a worker, which records everything that its handler reports. */
public final class DetachedJob extends RunningJob {
  private final int maxPayload;
  private final CompletableFuture<AttemptReport> outcome = new CompletableFuture<>();

  private final List<Progress> progress = new ArrayList<>();
  private final List<Payload> checkpoints = new ArrayList<>();
  private final List<LogRecord> records = new ArrayList<>();
  private volatile long extension;

  DetachedJob(
      Assignment assignment,
      RegisteredHandler.Body body,
      int maxPayload,
      PayloadCodec codec,
      System.Logger logger,
      ChildCalls children,
      Tracing tracing) {
    super(assignment, body, codec, logger, children, tracing);
    this.maxPayload = maxPayload;
  }

  @Override
  int maxPayload() {
    return maxPayload;
  }

  /** Records each report separately, so that none replaces another. */
  @Override
  void spoke() {
    AttemptReport ended = keepWords();
    if (ended != null) {
      outcome.complete(ended);
    }
  }

  private synchronized AttemptReport keepWords() {
    HandlerHost.Words words = takeWords();
    if (words.progress() != null) {
      progress.add(words.progress());
    }
    if (words.checkpoint() != null) {
      checkpoints.add(words.checkpoint());
    }
    records.addAll(words.logs());
    extension = Math.max(extension, words.extensionMs());
    return words.outcome();
  }

  @Override
  boolean mayEnter() {
    return true;
  }

  /** The outcome of the handler. */
  public CompletableFuture<AttemptReport> outcome() {
    return outcome;
  }

  public synchronized List<Progress> reportedProgress() {
    return List.copyOf(progress);
  }

  public synchronized List<Payload> reportedCheckpoints() {
    return List.copyOf(checkpoints);
  }

  public synchronized List<LogRecord> records() {
    return List.copyOf(records);
  }

  /** Milliseconds requested beyond the run timeout. */
  public long extensionMillis() {
    return extension;
  }
}
