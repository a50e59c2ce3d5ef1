package dev.muster.sdk.internal.core;

/**
 * One timer for many due times: it rings at the earliest one, and the callback checks what is due.
 */
final class Alarm {
  static final long NEVER = Long.MAX_VALUE;

  private final CorePorts ports;
  private final Runnable ring;
  private long at = NEVER;
  private Runnable cancelTimer;

  Alarm(CorePorts ports, Runnable ring) {
    this.ports = ports;
    this.ring = ring;
  }

  /** Requests a ring no later than {@code time}. */
  void by(long time) {
    if (time < at) {
      set(time);
    }
  }

  /** Requests a ring at {@code time} and replaces earlier requests. */
  void set(long time) {
    cancel();
    if (time == NEVER) {
      return;
    }
    at = time;
    cancelTimer = ports.timers().after(Math.max(0, time - ports.now()), this::rang);
  }

  void cancel() {
    if (cancelTimer != null) {
      cancelTimer.run();
    }
    cancelTimer = null;
    at = NEVER;
  }

  private void rang() {
    at = NEVER;
    cancelTimer = null;
    ring.run();
  }
}
