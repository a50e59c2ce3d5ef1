/**
 * The lateness of this process itself: for that long, a worker's messages may have been unread and due actions not
 * done.
 */
import { type Clock, realClock } from './clock.ts';

const TICK_MS = 50;

export class OwnLateness {
  readonly #clock: Clock;
  readonly #stop: () => void;
  #dueAt: number;
  #worstMs = 0;

  constructor(clock: Clock = realClock) {
    this.#clock = clock;
    this.#dueAt = clock.now() + TICK_MS;
    this.#stop = clock.every(TICK_MS, () => {
      this.#worstMs = this.worstMs;
      this.#dueAt = clock.now() + TICK_MS;
    });
  }

  /** Milliseconds, including a tick that is overdue. */
  get worstMs(): number {
    return Math.max(this.#worstMs, this.#clock.now() - this.#dueAt);
  }

  close(): void {
    this.#stop();
  }
}
