/** How much of a workflow one transaction may start: jobs, bytes of their inputs, and time to compute them. */
import type { DbClock } from '../../base/db-clock.ts';

/** Bounds of one transaction: a statement with more bytes, or a longer pause of it, would delay everybody. */
const MAX_JOBS = 1_000;
const MAX_BYTES = 8 << 20;
const MAX_COMPUTING_US = 1_000_000;

export interface StartLimits {
  readonly jobs: number;
  readonly bytes: number;
  /** End of the time, on the clock of `nowUs`. */
  readonly untilUs: number;
  readonly nowUs: () => number;
}

/** The share of each of the workflows that one transaction advances. */
export function limitsOfStarts(workflows: number, clock: Pick<DbClock, 'nowUs'>): StartLimits {
  const shareOf = (all: number) => Math.ceil(all / Math.max(1, workflows));
  const nowUs = () => clock.nowUs();
  return { jobs: shareOf(MAX_JOBS), bytes: shareOf(MAX_BYTES), untilUs: nowUs() + MAX_COMPUTING_US, nowUs };
}

export class StartBudget {
  readonly #limits: StartLimits;
  #jobs = 0;
  #bytes = 0;
  #hasBegun = false;

  constructor(limits: StartLimits) {
    this.#limits = limits;
  }

  /** The rest is left to the next transaction. Never before the first job or condition. */
  get isSpent(): boolean {
    if (!this.#hasBegun) return false;
    const { jobs, bytes, untilUs, nowUs } = this.#limits;
    return this.#jobs >= jobs || this.#bytes >= bytes || nowUs() >= untilUs;
  }

  /** A job is attempted; also one that can't be made costs an evaluation of its input. */
  addJob(): void {
    this.#jobs++;
    this.#hasBegun = true;
  }

  /** It costs time, also if its step is skipped. */
  addCondition(): void {
    this.#hasBegun = true;
  }

  /** Jobs that may still be attempted, and bytes that they may have; the last one may exceed them. */
  get left(): { readonly jobs: number; readonly bytes: number } {
    return { jobs: Math.max(0, this.#limits.jobs - this.#jobs), bytes: Math.max(0, this.#limits.bytes - this.#bytes) };
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }
}
