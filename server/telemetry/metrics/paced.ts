/** A reading that many may ask for: taken at most once a second, for at most a small part of the time, and never waited for long. */
import type { Clock, Log, Timers } from '../../engine/ports/ports.ts';

const MIN_MS = 1_000;
/** A reading may take one part in so many of the time. */
const SHARE = 20;
/** Who asks gets the reading before, if there is one, when the new one takes longer. */
const WAIT_MS = 1_000;

export interface PacedParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

export class Paced<T> {
  readonly #what: string;
  readonly #take: () => Promise<T>;
  readonly #parts: PacedParts;
  #last: T | undefined;
  #next = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(what: string, take: () => Promise<T>, parts: PacedParts) {
    this.#what = what;
    this.#take = take;
    this.#parts = parts;
  }

  /** Undefined when there is none yet, or the last one failed. */
  async read(): Promise<T | undefined> {
    const { clock, timers } = this.#parts;
    if (this.#running === undefined && clock.now() < this.#next) return this.#last;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => {
      timer = timers.after(WAIT_MS, resolve);
    });
    await Promise.race([this.#running, late]);
    timer?.cancel();
    return this.#last;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    const start = clock.now();
    try {
      this.#last = await this.#take();
    } catch (error) {
      this.#last = undefined;
      log.warn({ error: String(error) }, `could not read ${this.#what} for the metrics; the next reading tries again`);
    }
    const took = clock.now() - start;
    this.#next = clock.now() + Math.max(MIN_MS, took * (SHARE - 1));
  }
}
