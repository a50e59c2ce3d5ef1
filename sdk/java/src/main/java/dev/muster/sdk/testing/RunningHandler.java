package dev.muster.sdk.testing;

import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.worker.DetachedRuns;
import java.util.concurrent.CompletableFuture;

/** A running handler in a test. */
public final class RunningHandler {
  private final DetachedRuns runs;
  private final PayloadCodec codec;

  RunningHandler(DetachedRuns runs, PayloadCodec codec) {
    this.runs = runs;
    this.codec = codec;
  }

  void runHere() {
    runs.run();
  }

  void runOnOwnThread() {
    Thread thread = new Thread(runs, "muster-handler-test");
    thread.setDaemon(true);
    thread.start();
  }

  /** Asks the handler to stop, as the worker would. */
  public void stop(StopReason reason) {
    runs.stop(reason);
  }

  /** The outcome of the handler. */
  public CompletableFuture<HandlerOutcome> outcome() {
    return runs.outcome().thenApply(report -> new HandlerOutcome(runs, report, codec));
  }

  /** Waits for the outcome of the handler. */
  public HandlerOutcome await() {
    return outcome().join();
  }
}
