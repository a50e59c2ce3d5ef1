/** The database's clock, estimated by a replica: its own monotonic clock plus an offset measured each second. */
import type { Clock } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

export class DbClock {
  readonly #clock: Clock;
  #offsetUs = 0;
  #lastUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Microseconds since 1970; never steps back. */
  nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs, Math.round(this.#clock.now() * 1000 + this.#offsetUs));
    return this.#lastUs;
  }

  /** Measures the offset. The answer counts for the midpoint between request and reply. */
  async refresh(store: Pick<Store, 'nowUs'>): Promise<void> {
    const asked = this.#clock.now();
    const theirs = await store.nowUs();
    this.#offsetUs = theirs - ((asked + this.#clock.now()) / 2) * 1000;
  }
}
