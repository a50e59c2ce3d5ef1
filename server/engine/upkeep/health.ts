/**
 * Whether the database has answered, without a gap: only then could workers renew their leases, and only then may a
 * replica judge whose lease lapsed.
 */
import type { Clock } from '../ports/ports.ts';

/** Max time for an answer, and max delay of a round: a longer one is a gap. */
const GAP_MS = 2_000;

export class Health {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #healthySince: number | undefined;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `everyMs`: max time from the end of a round to the start of the next one. */
  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Asks the database, in each round. Measures the answer itself, so a slow one is no gap because of what follows it. */
  async ask(question: () => Promise<void>): Promise<void> {
    const asked = this.#clock.now();
    // This process was suspended, or did not come to its rounds.
    if (asked > this.#nextMs + GAP_MS) this.#healthySince = undefined;
    try {
      await question();
    } catch (error) {
      this.#healthySince = undefined;
      throw error;
    }
    const answered = this.#clock.now();
    if (answered - asked > GAP_MS) this.#healthySince = undefined;
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

  /** The database has answered without a gap for this long. */
  hasLasted(ms: number): boolean {
    return this.#healthySince !== undefined && this.#clock.now() - this.#healthySince >= ms;
  }
}
