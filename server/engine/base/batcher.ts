/**
 * Adaptive group commit: an idle batcher flushes at once; during a flush, items queue up for the next one. A second
 * concurrent flush pays only when its batch is full, or when the first one takes unusually long, such as behind a lock.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Random, Timers } from '../ports/ports.ts';
import { retryCollisions } from './collisions.ts';
import { asEngineError, EngineError, storeFault } from './errors.ts';

export interface BatcherOptions<I, O> {
  /** What is overloaded, for error messages. */
  readonly name: string;
  /** Processes a batch. Returns the results in the order of the items. */
  readonly flush: (items: readonly I[]) => Promise<readonly O[]>;
  /** Rows and bytes of an item. Default: one row, no bytes. */
  readonly sizeOf?: (item: I) => { readonly rows: number; readonly bytes: number };
  /** Default 1,000. A larger item is flushed alone. */
  readonly maxRows?: number;
  /** Default 8 MiB. */
  readonly maxBytes?: number;
  /** Max concurrent flushes. Default 2. */
  readonly inFlight?: number;
  /** Max queued rows; beyond it callers get OVERLOADED. Default 50,000. */
  readonly maxQueuedRows?: number;
  /** Max bytes queued and being flushed; beyond them callers get OVERLOADED. Default 64 MiB. */
  readonly maxHeldBytes?: number;
  readonly timers: Timers;
  readonly random: Random;
}

interface Entry<I, O> {
  readonly item: I;
  readonly rows: number;
  readonly bytes: number;
  readonly resolve: (result: O) => void;
  readonly reject: (error: Error) => void;
}

const one = { rows: 1, bytes: 0 };
const MAX_ROWS = 1_000;
/** A flush serves many calls: it must not end with the call that happens to start it. */
const outsideOfCalls = AsyncLocalStorage.snapshot();
/** Longer than a full flush takes on a busy machine. */
const LATE_MS = 50;

export class Batcher<I, O> {
  readonly #options: BatcherOptions<I, O>;
  #queue: Entry<I, O>[] = [];
  #queuedRows = 0;
  /** Bytes queued and being flushed. */
  #heldBytes = 0;
  #running = 0;
  /** Running flushes that take unusually long; new items do not wait for these. */
  #late = 0;

  constructor(options: BatcherOptions<I, O>) {
    this.#options = options;
  }

  /** Rejects with an EngineError: OVERLOADED when too much is queued, or the error of the item's flush. */
  add(item: I): Promise<O> {
    const { rows, bytes } = this.#options.sizeOf?.(item) ?? one;
    if (this.#isOver(rows, bytes)) {
      return Promise.reject(
        new EngineError('OVERLOADED', `too many ${this.#options.name} wait already; try again`, { retryAfterMs: 250 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, rows, bytes, resolve, reject });
      this.#queuedRows += rows;
      this.#heldBytes += bytes;
      this.#next();
    });
  }

  /** A single item is never over: it would never fit otherwise. */
  #isOver(rows: number, bytes: number): boolean {
    const { maxQueuedRows = 50_000, maxHeldBytes = 64 << 20 } = this.#options;
    const tooManyRows = this.#queuedRows > 0 && this.#queuedRows + rows > maxQueuedRows;
    return tooManyRows || (this.#heldBytes > 0 && this.#heldBytes + bytes > maxHeldBytes);
  }

  #next(): void {
    while (this.#mayStart()) {
      const batch = this.#take();
      this.#running++;
      const end = this.#watch();
      void outsideOfCalls(() => this.#run(batch)).finally(() => {
        end();
        for (const entry of batch) this.#heldBytes -= entry.bytes;
        this.#running--;
        this.#next();
      });
    }
  }

  #mayStart(): boolean {
    const { inFlight = 2, maxRows = MAX_ROWS } = this.#options;
    if (this.#queue.length === 0 || this.#running >= inFlight) return false;
    return this.#running === this.#late || this.#queuedRows >= maxRows;
  }

  /** Counts the flush as late after LATE_MS. Call the result when the flush ends. */
  #watch(): () => void {
    let isLate = false;
    const timer = this.#options.timers.after(LATE_MS, () => {
      isLate = true;
      this.#late++;
      this.#next();
    });
    return () => {
      timer.cancel();
      if (isLate) this.#late--;
    };
  }

  /** Takes as many entries from the head as fit, at least one. */
  #take(): Entry<I, O>[] {
    const { maxRows = MAX_ROWS, maxBytes = 8 << 20 } = this.#options;
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const entry of this.#queue) {
      if (count > 0 && (rows + entry.rows > maxRows || bytes + entry.bytes > maxBytes)) break;
      rows += entry.rows;
      bytes += entry.bytes;
      count++;
    }
    this.#queuedRows -= rows;
    return this.#queue.splice(0, count);
  }

  /**
   * Never rejects. Bad data: the batch is halved until the bad item is alone. Any other error fails all of its items.
   */
  async #run(batch: readonly Entry<I, O>[]): Promise<void> {
    try {
      const results = await retryCollisions(this.#options, () => this.#options.flush(batch.map((entry) => entry.item)));
      batch.forEach((entry, i) => {
        entry.resolve(results[i] as O);
      });
    } catch (error) {
      if (batch.length > 1 && storeFault(error) === 'data') {
        const half = batch.length >> 1;
        await this.#run(batch.slice(0, half));
        await this.#run(batch.slice(half));
        return;
      }
      const refusal = asEngineError(error);
      for (const entry of batch) entry.reject(refusal);
    }
  }
}
