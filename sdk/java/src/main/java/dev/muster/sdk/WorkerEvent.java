package dev.muster.sdk;

/** What happened to a worker's session. */
public enum WorkerEvent {
  /** A session is open. */
  OPENED,
  /** The session hears the bus and can be given jobs. */
  READY,
  /** The lease can't be proved any more: nothing is accepted until a heartbeat is answered. */
  FENCED,
  /** The lease is proved again. */
  RECOVERED,
  /** The server has closed the session; a new one is being opened. */
  LOST,
  /** The worker takes nothing more. */
  DRAINING,
  /** The worker is at its end. */
  CLOSED
}
