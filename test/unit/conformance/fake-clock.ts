/** A clock moved by the test. Timers ring as time passes, or late when the clock blocks. */
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

  /** Moves time on and rings timers when they are due. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed++) {
      this.#now++;
      this.ring();
    }
  }

  /** Moves time on without ringing any timer. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** Rings each due timer once. */
  ring(): void {
    for (const timer of this.#timers)
      if (timer.dueAt <= this.#now) {
        timer.dueAt = this.#now + timer.ms;
        timer.run();
      }
  }
}
