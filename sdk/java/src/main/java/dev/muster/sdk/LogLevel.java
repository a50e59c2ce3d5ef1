package dev.muster.sdk;

/** How grave a log record is. */
public enum LogLevel {
  /** For those who look for a fault. */
  DEBUG,
  /** What is worth knowing when all goes well. */
  INFO,
  /** Something that should not be, and that the handler can go on with. */
  WARN,
  /** Something that made a part of the work fail. */
  ERROR
}
