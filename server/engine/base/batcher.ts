/**
 * Group commit that adapts: an idle line sends at once; while a flush is under way, work piles up for the next. Another one
 * beside it is worth its cost only when it is full, or when the first one takes unusually long, as behind somebody's lock.
 */

import type { Random, Timers } from '../ports/ports.ts';
import { retryCollisions } from './collisions.ts';
import { asEngineError, EngineError, storeFault } from './errors.ts';

export interface BatcherOptions<I, O> {
  /** Says in errors what is overloaded. */
  readonly name: string;
  /** Does the work for a batch; results in the order of the items. */
  readonly flush: (items: readonly I[]) => Promise<readonly O[]>;
  /** Rows and bytes that an item stands for. Default: one row, no bytes. */
  readonly sizeOf?: (item: I) => { readonly rows: number; readonly bytes: number };
  /** Default 1,000. An item that is larger goes alone. */
  readonly maxRows?: number;
  /** Default 8 MiB. */
  readonly maxBytes?: number;
  /** Most flushes at once. Default 2. */
  readonly inFlight?: number;
  /** Rows that may wait; beyond them callers get OVERLOADED. Default 50,000. */
  readonly maxQueuedRows?: number;
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
/** Longer than a full flush takes on a busy machine. */
const LATE_MS = 50;

export class Batcher<I, O> {
  readonly #options: BatcherOptions<I, O>;
  #queue: Entry<I, O>[] = [];
  #queuedRows = 0;
  #running = 0;
  /** Those of the running ones that take unusually long: what comes does not wait for them. */
  #late = 0;

  constructor(options: BatcherOptions<I, O>) {
    this.#options = options;
  }

  /** Rejects with an EngineError: OVERLOADED when too much waits, or what became of the item's flush. */
  add(item: I): Promise<O> {
    const { rows, bytes } = this.#options.sizeOf?.(item) ?? one;
    if (this.#queuedRows + rows > (this.#options.maxQueuedRows ?? 50_000) && this.#queuedRows > 0) {
      return Promise.reject(
        new EngineError('OVERLOADED', `too many ${this.#options.name} wait already; try again`, { retryAfterMs: 250 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, rows, bytes, resolve, reject });
      this.#queuedRows += rows;
      this.#next();
    });
  }

  #next(): void {
    while (this.#mayStart()) {
      const batch = this.#take();
      this.#running++;
      const end = this.#watch();
      void this.#run(batch).finally(() => {
        end();
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

  /** Notices a flush that is late; to be called when it is over. */
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

  /** As many entries from the head as fit, one at least. */
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

  /** Never rejects. Bad data is halved until the bad item is alone; a fault of the world fails all of them once. */
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
