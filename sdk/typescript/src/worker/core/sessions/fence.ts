/** The time until which the worker may assume that its lease holds. */
import { FENCE_MARGIN } from '../base/limits.ts';

/** Leases shorter than the usual 15 s keep the same ratio of margin to lease. */
const MARGIN_SHARE = FENCE_MARGIN / 15_000;

/**
 * The lease counts from the *sending* of the last answered heartbeat. The server renewed it after that, so the worker's
 * fence always falls before the server's.
 */
export class Fence {
  readonly #validMs: number;
  #at: number;

  constructor(openedAt: number, leaseMs: number) {
    this.#validMs = leaseMs - Math.min(FENCE_MARGIN, leaseMs * MARGIN_SHARE);
    this.#at = openedAt + this.#validMs;
  }

  /** When the fence falls. */
  get at(): number {
    return this.#at;
  }

  passed(now: number): boolean {
    return now >= this.#at;
  }

  /** A heartbeat sent at `sentAt` was answered. A late answer never moves the fence back. */
  extend(sentAt: number): void {
    this.#at = Math.max(this.#at, sentAt + this.#validMs);
  }
}
