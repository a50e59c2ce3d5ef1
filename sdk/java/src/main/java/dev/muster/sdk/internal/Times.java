package dev.muster.sdk.internal;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Conversion of times and durations to and from protobuf messages. */
public final class Times {
  private Times() {}

  public static Duration durationOfMillis(long ms) {
    return durationOf(java.time.Duration.ofMillis(ms));
  }

  /**
   * The duration as a message.
   *
   * @throws IllegalArgumentException when it is negative.
   */
  public static Duration durationOf(java.time.Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("a duration can't be " + duration);
    }
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  public static Timestamp timestampOf(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  /** The duration in milliseconds, rounded down. */
  public static long millis(Duration duration) {
    return duration.getSeconds() * 1_000 + duration.getNanos() / 1_000_000;
  }

  public static java.time.Duration durationOf(Duration duration) {
    return java.time.Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
  }
}
