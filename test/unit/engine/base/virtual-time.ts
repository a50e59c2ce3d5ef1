/** Time that the test moves: the engine's clock, timers and random numbers, and a way to let promises settle. */
import type { Clock, Random, Timer, Timers } from '../../../../server/engine/ports/ports.ts';

interface Alarm {
  readonly at: number;
  readonly run: () => void;
}

export class VirtualTime implements Clock, Timers {
  #now = 1_000;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const alarm = { at: this.#now + ms, run };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Moves on by `ms`. Fires due timers in order; promises settle before the next one fires. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#now = Math.max(this.#now, next.at);
      this.#alarms.delete(next);
      next.run();
      await settle();
    }
    this.#now = until;
  }

  /** Moves on by `ms` at once, as for a process that is suspended: due timers fire with the next `advance`. */
  suspend(ms: number): void {
    this.#now += ms;
  }

  #next(until: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) if (alarm.at <= until && alarm.at < (first?.at ?? Infinity)) first = alarm;
    return first;
  }
}

/** Lets every promise that can settle do so: the event loop turns only after all of them. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A random source that always gives the same value. */
export function constantRandom(value: number): Random {
  return { next: () => value, bytes16: () => new Uint8Array(16) };
}
