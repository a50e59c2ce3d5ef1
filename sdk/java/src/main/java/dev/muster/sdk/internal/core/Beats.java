package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.HeartbeatResponse;
import java.util.function.LongFunction;

/** When heartbeats are sent. One that is slow to be answered never holds up the next. */
final class Beats {
  /**
   * The share of the interval by which a beat may come early, so that workers that started together
   * drift apart.
   */
  private static final double JITTER = 0.1;

  /** A heartbeat under way, and what is to be done about its end. */
  interface Beat {
    void send(CorePorts.Answer<HeartbeatResponse> answer);

    void answered(HeartbeatResponse response);

    void failed(MusterException failure);
  }

  private final CorePorts ports;
  private final long interval;
  private final LongFunction<Beat> compose;
  private final Alarm alarm;
  private long lastSent = Long.MIN_VALUE / 2;

  /** The interval's own next beat: it keeps the lease, so no wait puts it off. */
  private long regularAt = Alarm.NEVER;

  /** Failures since the last answer. */
  private int failures;

  /** After a failure nothing but news of the bus brings a beat sooner. */
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

  /** How long the last one took to be answered; one that failed took its whole time. */
  long roundTrip() {
    return roundTrip;
  }

  /** Beats at once. With too many beats unanswered it waits a moment, but not for them. */
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

  /** Beats within {@code ms}, but not too soon after the last one, nor after one that failed. */
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

  private void settle(Beat beat, long sentAt, HeartbeatResponse response, MusterException failure) {
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

  /** A beat has failed: what was asked for before waits, too. */
  private void putOff(MusterException failure) {
    double random = ports.random().getAsDouble();
    long wait = Backoff.after(++failures, failure, Limits.BEAT_RETRY, random);
    long again = ports.now() + Math.min(interval, wait);
    notBefore = Math.max(notBefore, Math.max(again, lastSent + Limits.MIN_BEAT_GAP));
    alarm.set(Math.min(notBefore, regularAt));
  }
}
