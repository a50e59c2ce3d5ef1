/**
 * Whether the database has answered, without a gap: only then could workers renew their leases, and only then may a
 * replica judge whose lease lapsed.
 */
import type { Clock } from '../ports/ports.ts';

/**
 * A gap is a longer time for an answer, or a longer delay of a round. Workers beat at least three times in a lease, so a
 * third of it costs none of them its lease.
 */
const MIN_GAP_MS = 2_000;
const GAPS_PER_LEASE = 3;

export class Health {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #leaseMs: number;
  readonly #gapMs: number;
  #healthySince: number | undefined;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `everyMs`: max time from the end of a round to the start of the next one. */
  constructor(clock: Clock, everyMs: number, leaseMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#leaseMs = leaseMs;
    this.#gapMs = Math.max(MIN_GAP_MS, leaseMs / GAPS_PER_LEASE);
  }

  /** Asks the database, in each round. Measures the answer itself, so a slow one is no gap because of what follows it. */
  async ask(question: () => Promise<void>): Promise<void> {
    const asked = this.#clock.now();
    // This process was suspended, or did not come to its rounds.
    if (asked > this.#nextMs + this.#gapMs) this.#healthySince = undefined;
    try {
      await question();
    } catch (error) {
      this.#healthySince = undefined;
      throw error;
    }
    const answered = this.#clock.now();
    if (answered - asked > this.#gapMs) this.#healthySince = undefined;
    this.#healthySince ??= answered;
  }

  /** What was seen so far proves nothing. */
  startOver(): void {
    this.#healthySince = undefined;
  }

  /** Ends a round. */
  rest(): void {
    this.#nextMs = this.#clock.now() + this.#everyMs;
  }

  /** The database has answered without a gap for a lease. */
  hasLasted(): boolean {
    return this.#healthySince !== undefined && this.#clock.now() - this.#healthySince >= this.#leaseMs;
  }
}
