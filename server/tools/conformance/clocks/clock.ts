/** The monotonic clock and its timers, as what measures lateness takes them. */

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls `run` again and again, each time after so many milliseconds. Returns what ends that. */
  every(ms: number, run: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
