package dev.muster.sdk.internal.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The slots of the worker, one per running handler. They outlive its sessions. */
public final class Slots {
  private int total;

  /** Running handlers, including those that were asked to stop and have not returned. */
  private final Set<Execution> taken = new LinkedHashSet<>();

  Slots(int total) {
    resize(total);
  }

  void resize(int newTotal) {
    total = checked(newTotal);
  }

  int free() {
    return Math.max(0, total - taken.size());
  }

  Execution take(Held held, long timeoutAt) {
    Execution execution = new Execution(held, timeoutAt);
    taken.add(execution);
    return execution;
  }

  /**
   * Frees the slot of a handler that has returned or was never entered. Returns false if it was
   * free already.
   */
  boolean release(Execution execution) {
    return taken.remove(execution);
  }

  /** A copy of the running handlers: slots may be taken and released during an iteration. */
  List<Execution> executions() {
    return List.copyOf(taken);
  }

  /**
   * Validates a number of slots.
   *
   * @throws IllegalArgumentException when it is not from 1 to 10,000.
   */
  public static int checked(int slots) {
    if (slots >= 1 && slots <= Limits.MAX_SLOTS) {
      return slots;
    }
    throw new IllegalArgumentException(
        "slots must be from 1 to " + Limits.MAX_SLOTS + ", not " + slots);
  }
}
