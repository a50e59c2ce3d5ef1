/** Clock and timers of a process that lives in virtual time, and which of the timers are more than rounds. */
import type { Clock, Timers } from '../../engine/ports/ports.ts';
import type { World } from './world.ts';

/** What is set for longer is no round of looking after things: those come each second. */
const ROUND_MS = 2_000;

export class SimClock implements Clock, Timers {
  readonly #world: World;
  readonly #long = new Set<{ readonly at: number }>();
  /** When one of the long timers fired last. */
  lastLongMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now;
  }

  after(ms: number, run: () => void) {
    const timer = { at: this.#world.now + ms };
    const isLong = ms > ROUND_MS;
    if (isLong) this.#long.add(timer);
    const event = this.#world.after(ms, () => {
      this.#long.delete(timer);
      if (isLong) this.lastLongMs = this.#world.now;
      run();
    });
    return {
      cancel: () => {
        this.#long.delete(timer);
        event.cancel();
      },
    };
  }

  /** When the next of the long timers fires; infinite: none is set. */
  get nextLongMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#long) next = Math.min(next, at);
    return next;
  }
}
