package dev.muster.sdk;

/** Severity of a log record. */
public enum LogLevel {
  /** Details for debugging. */
  DEBUG,
  /** Normal operation. */
  INFO,
  /** A problem with which the handler can continue. */
  WARN,
  /** A problem that made a part of the work fail. */
  ERROR
}
