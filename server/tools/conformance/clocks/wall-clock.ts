/** A wall clock for the worker that a case can change. */
import { PreloadedLibrary } from './preloaded-library.ts';

const NANOSECONDS = 1_000_000;

export class WallClock {
  readonly #library: PreloadedLibrary;

  private constructor(library: PreloadedLibrary) {
    this.#library = library;
  }

  static async make(): Promise<WallClock> {
    const source = new URL('wall-clock.c', import.meta.url);
    const what = "the library that moves a worker's wall clock";
    return new WallClock(await PreloadedLibrary.make({ source, variable: 'MUSTER_WALL_CLOCK', what }));
  }

  /** Why the worker's clock can't be changed on this machine. */
  get lack(): string | undefined {
    return this.#library.lack;
  }

  /** For the worker's process. */
  get environment(): Record<string, string> {
    return this.#library.environment;
  }

  /** From now on the worker's clock is ahead of the machine's by this. */
  set(aheadMs: number): void {
    this.#library.set(BigInt(aheadMs * NANOSECONDS));
  }

  remove(): void {
    this.#library.remove();
  }
}
