/** Cancels that overtook their assignments. */
import type { AttemptKey } from '../base/attempt-key.ts';
import { CANCEL_MEMORY, MAX_CANCELS } from '../base/limits.ts';

export class Cancels {
  /** Expiry time of each entry, in order of arrival, which is also the order of expiry. */
  readonly #forgetAt = new Map<AttemptKey, number>();

  remember(key: AttemptKey, now: number): void {
    this.#forget(now);
    this.#forgetAt.delete(key);
    this.#forgetAt.set(key, now + CANCEL_MEMORY);
  }

  has(key: AttemptKey, now: number): boolean {
    if (this.#forgetAt.size === 0) return false;
    const forgetAt = this.#forgetAt.get(key);
    return forgetAt !== undefined && now < forgetAt;
  }

  get size(): number {
    return this.#forgetAt.size;
  }

  #forget(now: number): void {
    for (const [key, forgetAt] of this.#forgetAt) {
      if (now < forgetAt && this.#forgetAt.size < MAX_CANCELS) return;
      this.#forgetAt.delete(key);
    }
  }
}
