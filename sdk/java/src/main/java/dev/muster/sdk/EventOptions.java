package dev.muster.sdk;

import dev.muster.sdk.internal.Times;
import dev.muster.v1.SendEventRequest;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * How an event is sent. Everything may be left out. It can't be changed; each method gives a new
 * one.
 */
public final class EventOptions {
  /** For jobs that wait for the empty key; kept for an hour. */
  public static final EventOptions NONE = new EventOptions(SendEventRequest.getDefaultInstance());

  private final SendEventRequest event;

  private EventOptions(SendEventRequest event) {
    this.event = event;
  }

  /** It is for jobs that wait for just this one. At most 256 characters. Default: the empty key. */
  public EventOptions key(String key) {
    return with(builder -> builder.setKey(key));
  }

  /**
   * How long it is kept if no job waits for it. Zero: not at all. At most 30 days. Default: an
   * hour.
   */
  public EventOptions keepFor(Duration time) {
    return with(builder -> builder.setKeepFor(Times.durationOf(time)));
  }

  /** UUID that makes a repeat of this very call one event. Default: a new one for each call. */
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
