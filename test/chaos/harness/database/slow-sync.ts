/** A disk of PostgreSQL that takes its time for each fsync. */
import { PreloadedLibrary } from '../../../../server/tools/conformance/clocks/preloaded-library.ts';

const NANOSECONDS = 1_000_000;

export class SlowSync {
  readonly #library: PreloadedLibrary;

  private constructor(library: PreloadedLibrary) {
    this.#library = library;
  }

  static async make(): Promise<SlowSync> {
    const source = new URL('slow-sync.c', import.meta.url);
    const what = 'the library that makes fsync slow';
    return new SlowSync(await PreloadedLibrary.make({ source, variable: 'MUSTER_SLOW_SYNC', what }));
  }

  /** Why it can't be done on this machine. */
  get lack(): string | undefined {
    return this.#library.lack;
  }

  /** For the server's process. */
  get environment(): Record<string, string> {
    return this.#library.environment;
  }

  /** From now on each takes longer by this. */
  delay(ms: number): void {
    this.#library.set(BigInt(ms * NANOSECONDS));
  }

  remove(): void {
    this.#library.remove();
  }
}
