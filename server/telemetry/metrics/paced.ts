/**
 * A reading for many callers: taken at most once per second, for at most a small share of the time, and without long
 * waits.
 */
import type { Clock, Log, Timers } from '../../engine/ports/ports.ts';

const MIN_MS = 1_000;
/** A reading may take at most one part in this many of the time. */
const SHARE = 20;
/** A caller gets the previous reading, if there is one, when the new one takes longer. */
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

  /** Undefined if there is no reading yet, or the last one failed. */
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
