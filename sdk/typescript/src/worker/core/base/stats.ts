/** Counters for tests, metrics and debugging. They only rise. */

export interface CoreStats {
  /** Sessions opened. */
  sessions: number;
  /** Sessions closed by the server. */
  sessionsLost: number;
  /** Attempts accepted. */
  accepted: number;
  /** Assignments ignored because the attempt was known. */
  duplicates: number;
  /** Assignments ignored because the lease could not be proved or the held list was full. */
  ignored: number;
  /** Attempts released before their handler was entered. */
  released: number;
  /** Handlers stopped because the lease could not be proved. */
  aborted: number;
  /** Number of times that the fence fell. */
  fences: number;
  /** Handlers stopped by their run timeout. */
  timeouts: number;
  /** Cancels received for running handlers. */
  cancels: number;
  /** Reports acknowledged by the server. */
  acknowledged: number;
}

export function newStats(): CoreStats {
  return {
    sessions: 0,
    sessionsLost: 0,
    accepted: 0,
    duplicates: 0,
    ignored: 0,
    released: 0,
    aborted: 0,
    fences: 0,
    timeouts: 0,
    cancels: 0,
    acknowledged: 0,
  };
}
