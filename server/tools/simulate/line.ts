/** The line before the one connection: a statement passes when nobody holds it, a transaction holds it until its end. */
import type { World } from './world.ts';

export class Line {
  readonly #world: World;
  readonly #waiting: { readonly run: () => unknown; readonly holds: boolean }[] = [];
  #held = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs when it is free; what `run` returns is awaited before time moves. */
  pass(run: () => unknown): unknown {
    return this.#enter(run, false);
  }

  /** As `pass`, but nobody else gets in until `leave`. */
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
