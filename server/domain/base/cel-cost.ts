/**
 * The cost of an expression, counted while it is evaluated: steps, which bound its time, and bytes, which bound its
 * memory. It depends on the expression and its values alone, so an expression fails everywhere or nowhere.
 */

export interface Budget {
  /** One step takes up to some 0.1 us. */
  readonly steps: number;
  /** Total size of the texts, bytes and lists that it makes. */
  readonly bytes: number;
}

/** For expressions that are evaluated while a caller waits: keys of jobs, and labels of workers. */
export const CALL_BUDGET: Budget = { steps: 50_000, bytes: 4 << 20 };
/** For expressions of workflows. */
export const WORKFLOW_BUDGET: Budget = { steps: 1_000_000, bytes: 32 << 20 };

export const CHARS_PER_STEP = 16;

/** The evaluation in progress; evaluations are synchronous and never nested. */
let current: Meter | undefined;

/** Counts what the evaluation in progress is about to do. Throws beyond the budget. */
export function spend(steps: number, bytes = 0): void {
  current?.spend(steps, bytes);
}

/** Counts the reading of a text, or of as many bytes. */
export function spendText(length: number): void {
  current?.spend(1 + Math.ceil(length / CHARS_PER_STEP), 0);
}

export class Meter {
  readonly #budget: Budget;
  #steps = 0;
  #bytes = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get steps(): number {
    return this.#steps;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why the evaluation was ended, as a sentence; undefined: it was not. */
  get problem(): string | undefined {
    const { steps, bytes } = this.#budget;
    if (this.#bytes > bytes)
      return `it makes more than ${bytes >> 20} MiB of texts and lists: let it combine less, or do this in a job`;
    if (this.#steps > steps)
      return `it costs more than ${steps} steps: let it compare or search less, or do this in a job`;
    return undefined;
  }

  /** Throws also once it has thrown: the evaluator takes an error within `||` for a value. */
  spend(steps: number, bytes: number): void {
    this.#steps += steps;
    this.#bytes += bytes;
    if (this.#steps > this.#budget.steps || this.#bytes > this.#budget.bytes) throw new Error(this.problem);
  }

  run<T>(work: () => T): T {
    current = this;
    try {
      return work();
    } finally {
      current = undefined;
    }
  }
}
