/** Clock and timers in virtual time; distinguishes long timers from the timers of polling rounds. */
import type { Clock, Timers } from '../../engine/ports/ports.ts';
import type { World } from './world.ts';

/** A longer timer is not a polling round: those come every second. */
const ROUND_MS = 2_000;

export class SimClock implements Clock, Timers {
  readonly #world: World;
  readonly #long = new Set<{ readonly at: number }>();
  /** When a long timer last fired. */
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

  /** When the next long timer fires; infinite: none is set. */
  get nextLongMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#long) next = Math.min(next, at);
    return next;
  }
}
