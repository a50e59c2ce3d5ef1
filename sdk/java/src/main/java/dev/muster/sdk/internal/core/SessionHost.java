package dev.muster.sdk.internal.core;

/** The interface between a session and its worker. */
interface SessionHost {
  CorePorts ports();

  Slots slots();

  CompletionRate rate();

  CoreStats stats();

  boolean draining();

  boolean supports(String handler, int version);

  /** The server asks the worker to drain. */
  void drain();

  /** The server has closed the session. */
  void sessionLost();

  /** The session is draining and holds no more attempts. */
  void sessionDrained();
}
