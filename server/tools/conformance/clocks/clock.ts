/** The monotonic clock and its timers, for the measurement of lateness. */

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls `run` repeatedly, each time after `ms`. Returns a function that stops it. */
  every(ms: number, run: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
