/** The credits that the session has granted: their unspent permits, expiry, and the attempts assigned under them. */
import type { Credit } from '../../../gen/muster/worker/v1/session_pb.ts';
import type { AttemptKey } from '../base/attempt-key.ts';
import { Fifo } from '../base/fifo.ts';
import { CREDIT_LIFE, CREDIT_REPLACE_BELOW, MAX_SPENT_CREDITS } from '../base/limits.ts';

export interface LiveCredit {
  readonly id: number;
  readonly expireAt: number;
  slots: number;
  prefetch: number;
  /** Attempts that named the credit. Kept as long as the credit lives, so that no attempt is accepted twice. */
  seen: Set<AttemptKey> | undefined;
}

export class Credits {
  /** By id. All live equally long, so insertion order is also the order of expiry. */
  readonly #byId = new Map<number, LiveCredit>();
  readonly #spent = new Fifo<number>();
  #lastId = 0;
  #slots = 0;
  #prefetch = 0;

  /** Unspent slot permits of live credits. */
  get slots(): number {
    return this.#slots;
  }

  /** Unspent prefetch permits of live credits. */
  get prefetch(): number {
    return this.#prefetch;
  }

  /** Makes a credit. Its life starts now, before it is sent. */
  grant(slots: number, prefetch: number, now: number): Credit {
    const id = ++this.#lastId;
    this.#byId.set(id, { id, expireAt: now + CREDIT_LIFE, slots, prefetch, seen: undefined });
    this.#slots += slots;
    this.#prefetch += prefetch;
    return { $typeName: 'muster.worker.v1.Credit', creditId: BigInt(id), slots, prefetch };
  }

  /** The credit if it is live. A spent or voided credit stays live, for its `seen` attempts. */
  live(id: number, now: number): LiveCredit | undefined {
    const credit = this.#byId.get(id);
    return credit !== undefined && now < credit.expireAt ? credit : undefined;
  }

  /** Whether the server may still hold the credit unspent, as far as the worker knows. */
  remembers(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Takes a permit of the kind, as the server did. Remembers the attempt even when no permit was left. */
  spend(credit: LiveCredit, key: AttemptKey, prefetch: boolean): void {
    credit.seen ??= new Set();
    credit.seen.add(key);
    if (prefetch && credit.prefetch > 0) {
      credit.prefetch--;
      this.#prefetch--;
    } else if (!prefetch && credit.slots > 0) {
      credit.slots--;
      this.#slots--;
    } else {
      return;
    }
    if (credit.slots + credit.prefetch === 0) this.#markSpent(credit);
  }

  /** Voids every credit with unspent permits; returns their ids. */
  voidAll(): number[] {
    return this.#voidWhere(() => true);
  }

  /** Voids unspent credits that expire soon, so that the dispatcher never uses credits close to their end. */
  voidAging(now: number): number[] {
    return this.#voidWhere((credit) => credit.expireAt - now < CREDIT_REPLACE_BELOW);
  }

  /** Voids one credit; false when no permit was left. */
  void(id: number): boolean {
    const credit = this.#byId.get(id);
    if (credit === undefined || credit.slots + credit.prefetch === 0) return false;
    this.#slots -= credit.slots;
    this.#prefetch -= credit.prefetch;
    credit.slots = 0;
    credit.prefetch = 0;
    this.#markSpent(credit);
    return true;
  }

  /** Drops expired credits. */
  expire(now: number): void {
    for (const credit of this.#byId.values()) {
      if (now < credit.expireAt) return;
      this.#slots -= credit.slots;
      this.#prefetch -= credit.prefetch;
      this.#byId.delete(credit.id);
    }
  }

  #voidWhere(condition: (credit: LiveCredit) => boolean): number[] {
    const ids: number[] = [];
    if (this.#slots + this.#prefetch === 0) return ids;
    for (const credit of this.#byId.values()) {
      if (condition(credit) && this.void(credit.id)) ids.push(credit.id);
    }
    return ids;
  }

  /**
   * Bounds the memory of spent credits. Dropping one early is harmless: an attempt that named it is either held or
   * closed on the server, and the server refuses the release of a closed attempt's late duplicate.
   */
  #markSpent(credit: LiveCredit): void {
    this.#spent.push(credit.id);
    if (this.#spent.size > MAX_SPENT_CREDITS) this.#byId.delete(this.#spent.shift() ?? 0);
  }
}
