/** Divides pending reports into calls of bounded count and size. */
import { Fifo } from '../base/fifo.ts';
import { MAX_REPORT_BYTES, MAX_REPORTS } from '../base/limits.ts';
import type { Held } from '../dispatch/held.ts';
import type { Outcome } from './outcome.ts';
import { outcomeBytes } from './outcome.ts';

export interface PendingReport {
  readonly held: Held;
  outcome: Outcome;
  bytes: number;
}

export class ReportBatches {
  readonly #queue = new Fifo<PendingReport>();
  /** Batches that failed, whole or halved; they are sent first. */
  readonly #again: PendingReport[][] = [];
  #count = 0;
  #bytes = 0;

  /** Number of reports that no call carries at the moment. */
  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(held: Held, outcome: Outcome): void {
    const report = { held, outcome, bytes: outcomeBytes(outcome) + (held.logs?.bytes ?? 0) };
    this.#queue.push(report);
    this.#count++;
    this.#bytes += report.bytes;
  }

  /** Puts a batch back unchanged, to be sent again. */
  putBack(batch: PendingReport[]): void {
    if (batch.length === 0) return;
    this.#again.push(batch);
    this.#count += batch.length;
    for (const report of batch) this.#bytes += report.bytes;
  }

  take(): PendingReport[] {
    const batch = this.#again.shift() ?? this.#fill();
    this.#count -= batch.length;
    for (const report of batch) this.#bytes -= report.bytes;
    return batch;
  }

  #fill(): PendingReport[] {
    const batch: PendingReport[] = [];
    let bytes = 0;
    while (batch.length < MAX_REPORTS) {
      const next = this.#queue.peek();
      if (next === undefined) break;
      bytes += next.bytes;
      if (bytes > MAX_REPORT_BYTES && batch.length > 0) break;
      batch.push(next);
      this.#queue.shift();
    }
    return batch;
  }
}
