/** Clock and timers in virtual time; distinguishes long timers from the timers of polling rounds. */
import type { Clock, Timers } from '../../engine/ports/ports.ts';
import type { World } from './world.ts';

/** A longer timer is not a polling round: those come every second. */
const ROUND_MS = 2_000;

export class SimClock implements Clock, Timers {
  readonly #world: World;
  readonly #long = new Set<{ readonly at: number }>();
  /** When the time of a long timer last came. */
  lastLongMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now;
  }

  after(ms: number, run: () => void) {
    return ms > ROUND_MS ? this.#afterLong(ms, run) : this.#world.after(ms, run);
  }

  /** A cancelled timer counts until its time: what it waited for may have a shorter timer by then. */
  #afterLong(ms: number, run: () => void) {
    const timer = { at: this.#world.now + ms };
    let isCancelled = false;
    this.#long.add(timer);
    this.#world.after(ms, () => {
      this.#long.delete(timer);
      this.lastLongMs = this.#world.now;
      if (!isCancelled) run();
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  /** When the time of the next long timer comes; infinite: there is none. */
  get nextLongMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#long) next = Math.min(next, at);
    return next;
  }
}
