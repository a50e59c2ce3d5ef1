package dev.muster.polyglot;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.Worker;
import java.io.Closeable;
import java.io.IOException;

/**
 * The demo's worker in Java: how many flights it takes to get from airport to airport. {@code
 * MUSTER_ADDRESS} is the address of the control plane.
 */
public final class PolyglotWorker {
  private PolyglotWorker() {}

  /** Exits with 0 when it was stopped, with 1 when the server refuses it. */
  public static void main(String[] arguments) throws IOException {
    String address = System.getenv("MUSTER_ADDRESS");
    // Tracing closes last, when the worker has made all spans.
    try (Closeable spans = Tracing.setUp();
        Worker worker = Worker.builder(address, "polyglot-java").slots(4).signals(true).build()) {
      worker.handle(
          "find-connections", Network.class, (ctx, network) -> Connections.of(network, ctx));
      worker.run();
    } catch (MusterException refused) {
      System.err.println(refused.code() + " " + refused.reason() + ": " + refused.getMessage());
      System.exit(1);
    }
    System.exit(0);
  }
}
