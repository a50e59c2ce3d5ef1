/** Has what was kept long enough cleared away, once a minute; sooner while there is more of it. */
import type { Log, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

/** Without jitter: replicas that come at the same time share the work out by trying a lock. */
const EVERY_MS = 60_000;
const SOON_MS = 5_000;

export interface RetentionParts {
  readonly store: Pick<Store, 'clearExpired'>;
  readonly timers: Timers;
  readonly log: Log;
}

export class Retention {
  readonly #parts: RetentionParts;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#schedule(EVERY_MS);
  }

  /** Resolves when the round that is under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#round;
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.timers.after(ms, () => {
      this.#round = this.#clear().then((more) => this.#schedule(more ? SOON_MS : EVERY_MS));
    });
  }

  async #clear(): Promise<boolean> {
    const { store, log } = this.#parts;
    try {
      const { more, ...cleared } = await store.clearExpired(() => this.#stopped);
      if (cleared.days + cleared.jobs > 0) log.info({ ...cleared }, 'cleared away what was kept long enough');
      return more;
    } catch (error) {
      log.warn({ error: String(error) }, 'could not clear away what was kept long enough; the next round tries again');
      return false;
    }
  }
}
