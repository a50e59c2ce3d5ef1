/** Counts the handlers that ended in the last 200 ms. The count is the depth of the prefetch. */
import { PREFETCH_WINDOW } from '../base/limits.ts';

const BUCKETS = 10;
const BUCKET_MS = PREFETCH_WINDOW / BUCKETS;

export class CompletionRate {
  readonly #counts = new Array<number>(BUCKETS).fill(0);
  #total = 0;
  /** Number of the newest bucket, counted from the clock's zero. */
  #newest = 0;

  add(now: number, count: number): void {
    this.#advance(now);
    const slot = this.#newest % BUCKETS;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    this.#total += count;
  }

  recent(now: number): number {
    this.#advance(now);
    return this.#total;
  }

  #advance(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    const first = Math.max(this.#newest + 1, bucket - BUCKETS + 1);
    for (let b = first; b <= bucket; b++) {
      this.#total -= this.#counts[b % BUCKETS] ?? 0;
      this.#counts[b % BUCKETS] = 0;
    }
    if (bucket > this.#newest) this.#newest = bucket;
  }
}
