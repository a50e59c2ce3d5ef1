package dev.muster.sdk;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Stops a worker on SIGINT and SIGTERM, after which the program ends normally. A shutdown hook
 * would not do: with it the process ends as killed by a signal.
 */
final class StopSignals {
  private StopSignals() {}

  /** Listens until the worker has ended. */
  static void listen(Worker worker, CompletableFuture<Void> finished) {
    AtomicBoolean stopping = new AtomicBoolean();
    Map<Signal, SignalHandler> before = new ConcurrentHashMap<>();
    for (String name : new String[] {"INT", "TERM"}) {
      Signal signal = new Signal(name);
      before.put(
          signal,
          Signal.handle(
              signal,
              received -> {
                if (stopping.compareAndSet(false, true)) {
                  worker.stop(worker.stopTimeout());
                } else {
                  worker.stop(Duration.ZERO);
                }
              }));
    }
    finished.whenComplete((nothing, failure) -> before.forEach(Signal::handle));
  }
}
