/**
 * Keys for which a claim found nothing left, until something is released. A claim that began before the last release may
 * not have seen what was released, so its mark is stale and is ignored. This only saves work: each claim decides anew.
 */

let last = 0;

/** Orders claims and releases: a counter, not a clock. */
export function nextMoment(): number {
  return ++last;
}

export class Exhausted<K> {
  readonly #keys = new Set<K>();
  #releasedAt = 0;

  /** A claim that began at the moment found nothing left for the key. Returns whether that still holds. */
  mark(key: K, moment: number): boolean {
    if (moment < this.#releasedAt) return false;
    this.#keys.add(key);
    return true;
  }

  has(key: K): boolean {
    return this.#keys.has(key);
  }

  /** Something was released, or may have been. Returns whether a key was marked. */
  release(): boolean {
    const wasMarked = this.#keys.size > 0;
    this.#keys.clear();
    this.#releasedAt = nextMoment();
    return wasMarked;
  }
}
