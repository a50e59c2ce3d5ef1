/** How late this process itself was: what a worker said may have lain unread for so long, and what was due not been done. */
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

  /** Milliseconds, also of a tick that is due and has not come. */
  get worstMs(): number {
    return Math.max(this.#worstMs, this.#clock.now() - this.#dueAt);
  }

  close(): void {
    this.#stop();
  }
}
