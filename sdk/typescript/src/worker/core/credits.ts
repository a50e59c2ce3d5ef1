/** The credits that the session has granted: what is left of each, until when, and what was assigned under it. */
import type { Credit } from '../../gen/muster/v1/session_service_pb.ts';
import type { AttemptKey } from './attempt-key.ts';
import { Fifo } from './fifo.ts';
import { CREDIT_LIFE, CREDIT_REPLACE_BELOW, MAX_SPENT_CREDITS } from './limits.ts';

export interface LiveCredit {
  readonly id: number;
  readonly expireAt: number;
  slots: number;
  prefetch: number;
  /** Attempts that named it. They are remembered as long as it lives, so that none of them is taken twice. */
  seen: Set<AttemptKey> | undefined;
}

export class Credits {
  /** By id. All live equally long, so the order of granting is the order of ending. */
  readonly #byId = new Map<number, LiveCredit>();
  readonly #spent = new Fifo<number>();
  #lastId = 0;
  #slots = 0;
  #prefetch = 0;

  /** Slots of live credits that are not spent. */
  get slots(): number {
    return this.#slots;
  }

  /** Prefetch places of live credits that are not spent. */
  get prefetch(): number {
    return this.#prefetch;
  }

  /** Makes a credit whose life starts now, before it is sent. */
  grant(slots: number, prefetch: number, now: number): Credit {
    const id = ++this.#lastId;
    this.#byId.set(id, { id, expireAt: now + CREDIT_LIFE, slots, prefetch, seen: undefined });
    this.#slots += slots;
    this.#prefetch += prefetch;
    return { $typeName: 'muster.v1.Credit', creditId: BigInt(id), slots, prefetch };
  }

  /** The credit if it is alive. A spent or voided one lives on, for its memory. */
  live(id: number, now: number): LiveCredit | undefined {
    const credit = this.#byId.get(id);
    return credit !== undefined && now < credit.expireAt ? credit : undefined;
  }

  /** Whether the credit may still be parked somewhere, as far as the worker knows. */
  remembers(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Takes a place of the kind for `key`, as the server did; remembers the attempt even when none was left. */
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

  /** Voids every credit with places left; answers their ids. */
  voidAll(): number[] {
    return this.#voidWhere(() => true);
  }

  /** Voids unused credits that end soon, so that the dispatcher never works with dying ones. */
  voidAging(now: number): number[] {
    return this.#voidWhere((credit) => credit.expireAt - now < CREDIT_REPLACE_BELOW);
  }

  /** Voids one credit; false when nothing was left of it. */
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

  /** Forgets the credits whose time is over. */
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
   * Bounds the memory of spent credits. Forgetting one early is harmless: an attempt that named it is either held, or
   * closed on the server, which then refuses the release of a late duplicate.
   */
  #markSpent(credit: LiveCredit): void {
    this.#spent.push(credit.id);
    if (this.#spent.size > MAX_SPENT_CREDITS) this.#byId.delete(this.#spent.shift() ?? 0);
  }
}
