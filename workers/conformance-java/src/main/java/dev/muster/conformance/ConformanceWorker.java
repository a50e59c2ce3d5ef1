package dev.muster.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.Worker;
import dev.muster.v1.Payload;

/**
 * Runs one worker with scripted handlers, for the conformance kit. {@code MUSTER_ADDRESS} is the
 * address of the control plane; {@code MUSTER_WORKER_NAME} and {@code MUSTER_SLOTS} are optional.
 */
public final class ConformanceWorker {
  private ConformanceWorker() {}

  /** Exits with 0 when it was drained, with 1 when the server refuses it. */
  public static void main(String[] arguments) {
    String address = environment("MUSTER_ADDRESS", "localhost:7070");
    String name = environment("MUSTER_WORKER_NAME", "conformance");
    int slots = Integer.parseInt(environment("MUSTER_SLOTS", "10"));
    try (Worker worker = Worker.builder(address, name).slots(slots).signals(true).build()) {
      worker.handle("echo", Payload.class, (context, input) -> input);
      worker.handle("script", JsonNode.class, (context, input) -> new Script(context).run(input));
      worker.run();
    } catch (MusterException refused) {
      System.err.println(refused.code() + " " + refused.reason() + ": " + refused.getMessage());
      System.exit(1);
    }
    System.exit(0);
  }

  private static String environment(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
