package dev.muster.sdk.internal.core;

import dev.muster.sdk.StopReason;

/** A handler that was handed its attempt and has not returned yet. */
public final class Execution {
  /** When its run timeout is reached. */
  long timeoutAt;

  /** What of it the handler has asked for beyond its run timeout, in milliseconds. */
  long extensionMs;

  /**
   * After the signal of the run timeout: when it is reported even though the handler has not
   * returned.
   */
  long graceAt = Alarm.NEVER;

  /** Why it was told to stop. Null: it was not. */
  StopReason stopped;

  /**
   * The attempt that it works for. Null once the attempt was given up: what the handler then
   * returns is dropped.
   */
  Held held;

  /** The handler itself. */
  CorePorts.Running running;

  Execution(Held held, long timeoutAt) {
    this.held = held;
    this.timeoutAt = timeoutAt;
  }
}
