package dev.muster.sdk.internal.core;

import dev.muster.v1.Payload;
import dev.muster.v1.Progress;

/**
 * The newest update of one attempt. Each change increases the sequence, so that a late heartbeat
 * does not overwrite a newer one.
 */
final class AttemptUpdate {
  long sequence;

  /** The newest sequence that an answered heartbeat has carried. */
  long delivered;

  /** Null: the handler has reported none. */
  Progress progress;

  /** Null once a heartbeat that carried it was answered. */
  Payload checkpoint;

  /** Total time that the handler has requested beyond its run timeout, in milliseconds; 0: none. */
  long extensionMs;

  boolean hasChanges() {
    return sequence > delivered;
  }
}
