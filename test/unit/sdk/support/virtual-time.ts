/** A clock and timers that the test moves. */
import type { Clock, Timer, Timers } from '../../../../sdk/typescript/src/worker/core/base/ports.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime implements Clock, Timers {
  #now = 1_000;
  #order = 0;
  readonly #due = new Set<Due>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const due = { at: this.#now + ms, order: this.#order++, run };
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }

  /** Timers that are still set. */
  get pending(): number {
    return this.#due.size;
  }

  /** Moves on by `ms`. Each timer runs at its own time, and promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#due.delete(next);
      this.#now = next.at;
      next.run();
      await settle();
    }
    this.#now = end;
  }

  /** Moves the clock without running timers, like a process that was paused and continues. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #next(end: number): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) {
      if (due.at > end) continue;
      if (first === undefined || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due;
    }
    return first;
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
