/** A wall clock for a process that can be moved. */
import { PreloadedLibrary } from './preloaded-library.ts';

const NANOSECONDS = 1_000_000;

export class WallClock {
  readonly #library: PreloadedLibrary;

  private constructor(library: PreloadedLibrary) {
    this.#library = library;
  }

  static async make(): Promise<WallClock> {
    const source = new URL('wall-clock.c', import.meta.url);
    const what = "the library that moves a process's wall clock";
    return new WallClock(await PreloadedLibrary.make({ source, variable: 'MUSTER_WALL_CLOCK', what }));
  }

  /** A clock for another process. It is removed with this one. */
  another(name: string): WallClock {
    return new WallClock(this.#library.another(name));
  }

  /** Why a clock can't be moved on this machine. */
  get lack(): string | undefined {
    return this.#library.lack;
  }

  /** For the process. */
  get environment(): Record<string, string> {
    return this.#library.environment;
  }

  /** From now on the process's clock is ahead of the machine's by this. */
  set(aheadMs: number): void {
    this.#library.set(BigInt(aheadMs * NANOSECONDS));
  }

  remove(): void {
    this.#library.remove();
  }
}
