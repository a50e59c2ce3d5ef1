package dev.muster.sdk.internal.core;

/** What a session needs of the worker that it belongs to, and what it tells it. */
interface SessionHost {
  CorePorts ports();

  Places places();

  CompletionRate rate();

  CoreStats stats();

  boolean draining();

  boolean supports(String handler, int version);

  /** The server asks the worker to drain. */
  void drain();

  /** The server has closed the session. */
  void sessionLost();

  /** Nothing is held any more, and nothing more will come. */
  void sessionDrained();
}
