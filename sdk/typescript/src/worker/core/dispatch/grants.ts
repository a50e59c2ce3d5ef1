/** Decides which credits a call grants and voids, and handles the failure of the call. */
import type { Credit } from '../../../gen/muster/worker/v1/session_pb.ts';
import { MAX_HELD, MAX_PREFETCH } from '../base/limits.ts';
import type { CompletionRate } from './completion-rate.ts';
import type { Credits } from './credits.ts';
import type { HeldList } from './held.ts';
import type { SlotTable } from './slot-table.ts';

/** Credits granted and voided by one call. */
export interface Terms {
  readonly credits: Credit[];
  readonly voided: bigint[];
}

export interface Supply {
  readonly credits: Credits;
  readonly held: HeldList;
  readonly slotTable: SlotTable;
  readonly rate: CompletionRate;
}

export class Grants {
  readonly #supply: Supply;
  /** Voided ids that no answered call has carried yet. */
  readonly #unsaid = new Set<number>();

  constructor(supply: Supply) {
    this.#supply = supply;
  }

  /** Voids everything unspent; the next call carries it. */
  voidAll(): void {
    this.#note(this.#supply.credits.voidAll());
  }

  /** Called at each heartbeat: voids credits that expire soon, so that the call replaces them. */
  renew(now: number): void {
    this.#note(this.#supply.credits.voidAging(now));
  }

  /** The terms of the next call. The life of a granted credit begins here, before the call is sent. */
  compose(now: number, mayGrant: boolean): Terms {
    const { credits } = this.#supply;
    credits.expire(now);
    const voided = Array.from(this.#unsaid, BigInt);
    if (!mayGrant) return { credits: [], voided };
    const { slots, prefetch } = this.#wanted(now);
    return { credits: slots + prefetch > 0 ? [credits.grant(slots, prefetch, now)] : [], voided };
  }

  /** The call was answered: its voids need no repetition. */
  answered({ voided }: Terms): void {
    for (const id of voided) this.#unsaid.delete(Number(id));
  }

  /**
   * The call failed, and the worker can't know whether the server stored its credits. They are voided; a new credit
   * with its full life replaces them.
   */
  failed(terms: Terms): void {
    for (const { creditId } of terms.credits) {
      const id = Number(creditId);
      if (this.#supply.credits.void(id)) this.#unsaid.add(id);
    }
    this.#forgetDead();
  }

  #wanted(now: number): { slots: number; prefetch: number } {
    const { credits, held, slotTable, rate } = this.#supply;
    const space = Math.max(0, MAX_HELD - held.size - credits.slots - credits.prefetch);
    const slots = Math.min(space, Math.max(0, slotTable.free - credits.slots));
    const depth = Math.min(MAX_PREFETCH, rate.recent(now));
    const prefetch = Math.min(space - slots, Math.max(0, depth - held.waiting - credits.prefetch));
    return { slots, prefetch };
  }

  #note(ids: number[]): void {
    for (const id of ids) this.#unsaid.add(id);
  }

  /** An expired credit needs no voiding. Dropping its id bounds the list while no call gets through. */
  #forgetDead(): void {
    for (const id of this.#unsaid) if (!this.#supply.credits.remembers(id)) this.#unsaid.delete(id);
  }
}
