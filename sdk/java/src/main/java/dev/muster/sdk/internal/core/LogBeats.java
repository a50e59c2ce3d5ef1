package dev.muster.sdk.internal.core;

import java.util.function.BooleanSupplier;

/**
 * Schedules heartbeats for log records soon after they were written. A control plane that answers
 * slowly gets fewer of them, so that log records cost it a bounded share of its time, however many
 * handlers log.
 */
final class LogBeats {
  private final CorePorts ports;
  private final Beats beats;
  private final Alarm alarm;

  /**
   * @param pending Whether updates are pending: records of an ended attempt are sent with its
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

  /** Called when there are records that no heartbeat has carried. */
  void logged() {
    long slow = Math.max(Limits.LOG_GAP, Limits.LOG_GAP_ROUND_TRIPS * beats.roundTrip());
    long gap = Math.min(Limits.PROGRESS_DELAY, slow);
    alarm.by(Math.max(ports.now() + Limits.LOG_DELAY, beats.lastSent() + gap));
  }

  void close() {
    alarm.cancel();
  }
}
