/**
 * Makes the partitions of today and of the days ahead, at the start and then each hour. Without its partition a day's
 * jobs are stored all the same, in the default one: so a failure ends nothing, and is repeated after a growing pause.
 * Each try may make others wait for as long as it waits for a lock.
 */
import { jittered, Loop, type LoopParts } from '../loop.ts';
import type { Store } from '../ports/store.ts';

const EVERY_MS = 3_600_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export interface DaysParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly store: Pick<Store, 'ensurePartitions'>;
}

export class Days {
  readonly #parts: DaysParts;
  readonly #loop: Loop;
  #failures = 0;
  #nextMs = EVERY_MS;

  constructor(parts: DaysParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'partitions', everyMs: EVERY_MS, run: () => this.make() });
  }

  /** Never rejects. Resolves with the time until the next try, in ms. */
  async make(): Promise<number> {
    const { store, random, log } = this.#parts;
    try {
      await store.ensurePartitions();
      this.#failures = 0;
      this.#nextMs = jittered(EVERY_MS, random);
    } catch (error) {
      this.#nextMs = jittered(Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS), random);
      const nextTryMs = Math.round(this.#nextMs);
      log.warn(
        { error: String(error), failures: this.#failures, nextTryMs },
        'could not make the partitions of the days ahead; jobs of a day without one go to the default partition. ' +
          'A transaction that is open for long prevents it, such as a dump or a session that idles',
      );
    }
    return this.#nextMs;
  }

  start(): void {
    this.#loop.start(this.#nextMs);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}
