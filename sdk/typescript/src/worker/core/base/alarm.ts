/** One timer for many due times. It rings at the earliest requested time; the listener then checks what is due. */
import type { Clock, Timer, Timers } from './ports.ts';

/** Timers of most runtimes overflow at 24 days. Ringing early is harmless, because the listener checks the clock. */
const LONGEST_WAIT = 3_600_000;

export class Alarm {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#ring = ring;
  }

  /** Rings no later than `at`. */
  by(at: number): void {
    if (at < this.#at) this.set(at);
  }

  /** Rings at `at` and replaces earlier requests. */
  set(at: number): void {
    this.cancel();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#at = at;
    const wait = Math.min(LONGEST_WAIT, Math.max(0, Math.ceil(at - this.#clock.now())));
    this.#timer = this.#timers.after(wait, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      this.#ring();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
