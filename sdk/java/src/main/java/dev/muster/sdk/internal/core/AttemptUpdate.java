package dev.muster.sdk.internal.core;

import dev.muster.v1.Payload;
import dev.muster.v1.Progress;

/**
 * The newest words of one attempt. Each change raises the sequence, so that a late heartbeat sets
 * nothing back.
 */
final class AttemptUpdate {
  long sequence;

  /** The newest sequence that an answered heartbeat has carried. */
  long delivered;

  /** Null: the handler said nothing of it. */
  Progress progress;

  /** Null once a heartbeat that carried it was answered. */
  Payload checkpoint;

  /** All that the handler has asked for beyond its run timeout, in milliseconds; 0: nothing. */
  long extensionMs;

  boolean hasNews() {
    return sequence > delivered;
  }
}
