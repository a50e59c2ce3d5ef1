package dev.muster.sdk.internal.core;

import java.util.function.BooleanSupplier;

/**
 * Has heartbeats bring log records soon after they were written. A control plane that is slow to
 * answer gets fewer of them: so that records cost it a bounded share of its time, however many
 * handlers log.
 */
final class LogBeats {
  private final CorePorts ports;
  private final Beats beats;
  private final Alarm alarm;

  /**
   * @param pending Whether records still wait: those of an attempt that has ended go with its
   *     report.
   */
  LogBeats(CorePorts ports, Beats beats, BooleanSupplier pending) {
    this.ports = ports;
    this.beats = beats;
    alarm =
        new Alarm(
            ports,
            () -> {
              if (pending.getAsBoolean()) {
                beats.within(0);
              }
            });
  }

  /** There are records that no heartbeat has carried. */
  void logged() {
    long slow = Math.max(Limits.LOG_GAP, Limits.LOG_GAP_ROUND_TRIPS * beats.roundTrip());
    long gap = Math.min(Limits.PROGRESS_DELAY, slow);
    alarm.by(Math.max(ports.now() + Limits.LOG_DELAY, beats.lastSent() + gap));
  }

  void close() {
    alarm.cancel();
  }
}
