package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.SendSignalRequest;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Options of a signal. All are optional. Instances are immutable; each method returns a new one.
 */
public final class SignalOptions {
  /** A signal for jobs that wait for the empty key; kept for an hour. */
  public static final SignalOptions NONE =
      new SignalOptions(SendSignalRequest.getDefaultInstance());

  private final SendSignalRequest signal;

  private SignalOptions(SendSignalRequest signal) {
    this.signal = signal;
  }

  /**
   * The signal is for jobs that wait for this key. At most 256 characters. Default: the empty key.
   */
  public SignalOptions key(String key) {
    return with(builder -> builder.setKey(key));
  }

  /**
   * How long the signal is kept if no job waits for it. Zero means that it is not kept. At most 30
   * days. Default: an hour.
   */
  public SignalOptions keepFor(Duration time) {
    return with(builder -> builder.setKeepFor(Times.durationOf(time)));
  }

  /** A UUID that makes repeats of this call idempotent. Default: a new one for each call. */
  public SignalOptions requestId(String id) {
    return with(builder -> builder.setRequestId(id));
  }

  SendSignalRequest signal() {
    return signal;
  }

  private SignalOptions with(Consumer<SendSignalRequest.Builder> change) {
    SendSignalRequest.Builder builder = signal.toBuilder();
    change.accept(builder);
    return new SignalOptions(builder.build());
  }
}
