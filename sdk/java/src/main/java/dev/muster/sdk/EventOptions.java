package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.SendEventRequest;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Options of an event. All are optional. Instances are immutable; each method returns a new one.
 */
public final class EventOptions {
  /** An event for jobs that wait for the empty key; kept for an hour. */
  public static final EventOptions NONE = new EventOptions(SendEventRequest.getDefaultInstance());

  private final SendEventRequest event;

  private EventOptions(SendEventRequest event) {
    this.event = event;
  }

  /**
   * The event is for jobs that wait for this key. At most 256 characters. Default: the empty key.
   */
  public EventOptions key(String key) {
    return with(builder -> builder.setKey(key));
  }

  /**
   * How long the event is kept if no job waits for it. Zero means that it is not kept. At most 30
   * days. Default: an hour.
   */
  public EventOptions keepFor(Duration time) {
    return with(builder -> builder.setKeepFor(Times.durationOf(time)));
  }

  /** A UUID that makes repeats of this call idempotent. Default: a new one for each call. */
  public EventOptions eventId(String id) {
    return with(builder -> builder.setEventId(id));
  }

  SendEventRequest event() {
    return event;
  }

  private EventOptions with(Consumer<SendEventRequest.Builder> change) {
    SendEventRequest.Builder builder = event.toBuilder();
    change.accept(builder);
    return new EventOptions(builder.build());
  }
}
