/** The queue for the single connection: a statement passes when it is free, a transaction holds it until its end. */
import type { World } from './world.ts';

export class Line {
  readonly #world: World;
  readonly #waiting: { readonly run: () => unknown; readonly holds: boolean }[] = [];
  #held = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs when the connection is free; the result of `run` is awaited before time advances. */
  pass(run: () => unknown): unknown {
    return this.#enter(run, false);
  }

  /** As `pass`, but holds the connection until `leave`. */
  hold(run: () => unknown): unknown {
    return this.#enter(run, true);
  }

  leave(): void {
    this.#held = false;
    this.#world.after(0, () => this.#next());
  }

  #enter(run: () => unknown, holds: boolean): unknown {
    if (this.#held || this.#waiting.length > 0) {
      this.#waiting.push({ run, holds });
      return undefined;
    }
    this.#held = holds;
    return run();
  }

  #next(): unknown {
    if (this.#held) return undefined;
    const first = this.#waiting.shift();
    if (!first) return undefined;
    this.#held = first.holds;
    if (!first.holds) this.#world.after(0, () => this.#next());
    return first.run();
  }
}
