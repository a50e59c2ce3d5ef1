package dev.muster.sdk.internal.core;

import dev.muster.sdk.StopReason;

/** A handler that has received its attempt and has not returned yet. */
public final class Execution {
  /** When its run timeout is reached. */
  long timeoutAt;

  /** The time that the handler has requested beyond its run timeout, in milliseconds. */
  long extensionMs;

  /**
   * When the run timeout is reported even if the handler has not returned; set when the timeout is
   * signalled.
   */
  long graceAt = Alarm.NEVER;

  /** Why it was asked to stop. Null: it was not. */
  StopReason stopped;

  /** Its attempt. Null once the attempt was given up; the handler's result is dropped then. */
  Held held;

  /** The handler itself. */
  CorePorts.Running running;

  Execution(Held held, long timeoutAt) {
    this.held = held;
    this.timeoutAt = timeoutAt;
  }
}
