/** A clock that a test moves: timers ring as time passes, or late where it blocks. */
import type { Clock } from '../../../server/tools/conformance/clocks/clock.ts';

interface Timer {
  readonly ms: number;
  readonly run: () => void;
  dueAt: number;
}

export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 1_000;

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  every(ms: number, run: () => void): () => void {
    const timer = { ms, run, dueAt: this.#now + ms };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time passes, and timers ring when they are due. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed++) {
      this.#now++;
      this.ring();
    }
  }

  /** Time passes, and no timer rings. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** Those that are due ring once. */
  ring(): void {
    for (const timer of this.#timers)
      if (timer.dueAt <= this.#now) {
        timer.dueAt = this.#now + timer.ms;
        timer.run();
      }
  }
}
