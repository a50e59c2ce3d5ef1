package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.internal.Times;
import dev.muster.worker.v1.SendHeartbeatResponse;
import java.util.function.LongFunction;

/** Schedules heartbeats. A slow answer never delays the next heartbeat. */
final class Beats {
  /**
   * Share of the interval by which a heartbeat may come early, so that workers that started
   * together spread out.
   */
  private static final double JITTER = 0.1;

  /** A heartbeat to be sent, with callbacks for its result. */
  interface Beat {
    void send(CorePorts.Answer<SendHeartbeatResponse> answer);

    void answered(SendHeartbeatResponse response);

    void failed(MusterException failure);
  }

  private final CorePorts ports;
  private final long interval;
  private final LongFunction<Beat> compose;
  private final Alarm alarm;
  private long lastSent = Long.MIN_VALUE / 2;

  /** The time of the next regular heartbeat. It keeps the lease, so no backoff delays it. */
  private long regularAt = Alarm.NEVER;

  /** Failures since the last answer. */
  private int failures;

  /**
   * The end of the backoff after a failure. Only a change of the bus connection triggers an earlier
   * heartbeat.
   */
  private long notBefore = Long.MIN_VALUE;

  private long roundTrip;
  private int inFlight;
  private boolean closed;

  /**
   * @param compose Makes the heartbeat that is sent at the given time.
   */
  Beats(CorePorts ports, long interval, LongFunction<Beat> compose) {
    this.ports = ports;
    this.interval = interval;
    this.compose = compose;
    alarm = new Alarm(ports, this::now);
  }

  long lastSent() {
    return lastSent;
  }

  /** How long the last heartbeat took to be answered, or to fail. */
  long roundTrip() {
    return roundTrip;
  }

  /**
   * Sends a heartbeat at once. With too many unanswered, it retries after a short time, without
   * waiting for the answers.
   */
  void now() {
    if (closed) {
      return;
    }
    long sentAt = ports.now();
    if (inFlight >= Limits.MAX_BEATS_IN_FLIGHT) {
      alarm.by(sentAt + Limits.MIN_BEAT_GAP);
      return;
    }
    lastSent = sentAt;
    double early = JITTER * ports.random().getAsDouble();
    regularAt = sentAt + Math.round(interval * (1 - early));
    alarm.set(regularAt);
    inFlight++;
    Beat beat = compose.apply(sentAt);
    beat.send((response, failure) -> settle(beat, sentAt, response, failure));
  }

  /**
   * Schedules a heartbeat within {@code ms}, but keeps the minimum gap to the last one and the
   * backoff after a failure.
   */
  void within(long ms) {
    if (!closed) {
      long soonest = Math.max(lastSent + Limits.MIN_BEAT_GAP, notBefore);
      alarm.by(Math.max(ports.now() + ms, soonest));
    }
  }

  void close() {
    closed = true;
    alarm.cancel();
  }

  private void settle(
      Beat beat, long sentAt, SendHeartbeatResponse response, MusterException failure) {
    inFlight--;
    roundTrip = failure == null ? ports.now() - sentAt : interval;
    if (closed) {
      return;
    }
    if (failure != null) {
      putOff(failure);
      beat.failed(failure);
      return;
    }
    failures = 0;
    notBefore = Long.MIN_VALUE;
    if (response.hasNextBeat()) {
      within(Times.millis(response.getNextBeat()));
    }
    beat.answered(response);
  }

  /** Delays heartbeats after a failure, requested ones included. */
  private void putOff(MusterException failure) {
    double random = ports.random().getAsDouble();
    long wait = Backoff.after(++failures, failure, Limits.BEAT_RETRY, random);
    long again = ports.now() + Math.min(interval, wait);
    notBefore = Math.max(notBefore, Math.max(again, lastSent + Limits.MIN_BEAT_GAP));
    alarm.set(Math.min(notBefore, regularAt));
  }
}
