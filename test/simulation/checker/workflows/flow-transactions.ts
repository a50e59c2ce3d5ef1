/** Rows of the journal, one transaction at a time: a transaction is checked as a whole. */
import type { Evidence, Ordered } from '../base/events.ts';

export abstract class TransactionChecks {
  protected readonly evidence: Evidence;
  #rows: Ordered[] = [];
  #began: number | undefined;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
  }

  take(row: Ordered): void {
    const began = this.evidence.history.transactionBegan.get(row.at) ?? row.at;
    if (began !== this.#began) this.#settle();
    this.#began = began;
    this.#rows.push(row);
  }

  finish(): void {
    this.#settle();
    this.over();
  }

  #settle(): void {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length > 0) this.settle(rows);
  }

  /** Checks all rows of one transaction. */
  protected abstract settle(rows: readonly Ordered[]): void;

  /** Call after the last row. */
  protected abstract over(): void;
}
