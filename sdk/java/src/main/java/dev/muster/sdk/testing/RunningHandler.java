package dev.muster.sdk.testing;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.worker.DetachedJob;
import java.util.concurrent.CompletableFuture;

/** A handler that runs in a test. */
public final class RunningHandler {
  private final DetachedJob job;
  private final PayloadCodec codec;

  RunningHandler(DetachedJob job, PayloadCodec codec) {
    this.job = job;
    this.codec = codec;
  }

  void runHere() {
    job.run();
  }

  void runAside() {
    Thread thread = new Thread(job, "muster-handler-test");
    thread.setDaemon(true);
    thread.start();
  }

  /** Asks the handler to stop, as the worker would. */
  public void stop(StopReason reason) {
    job.stop(reason);
  }

  /** What comes of the handler. */
  public CompletableFuture<HandlerOutcome> outcome() {
    return job.outcome().thenApply(report -> new HandlerOutcome(job, report, codec));
  }

  /** Waits for what comes of the handler. */
  public HandlerOutcome await() {
    return outcome().join();
  }
}
