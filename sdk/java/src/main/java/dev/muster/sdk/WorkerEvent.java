package dev.muster.sdk;

/** An event of a worker's session. */
public enum WorkerEvent {
  /** A session was opened. */
  OPENED,
  /** The session receives messages of the bus and can receive jobs. */
  READY,
  /** The lease can't be proved any more: nothing is accepted until a heartbeat is answered. */
  FENCED,
  /** The lease is proved again. */
  RECOVERED,
  /** The server has closed the session; a new one is being opened. */
  LOST,
  /** The worker accepts no more jobs. */
  DRAINING,
  /** The worker has ended. */
  CLOSED
}
