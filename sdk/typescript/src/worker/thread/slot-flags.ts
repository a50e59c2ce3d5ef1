/**
 * Shared memory in which both threads agree, per slot, whether a handler was entered. An attempt can be withdrawn
 * atomically, even while the handlers' thread is busy, and is then never entered.
 */
import { MAX_SLOTS } from '../core/base/limits.ts';

/** A ticket identifies one use of a slot. The flag is twice the ticket, plus one when the handler was entered. */
const MAX_TICKET = 2 ** 30 - 1;

export class SlotFlags {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  #lastTicket = 0;

  constructor(memory = new SharedArrayBuffer(MAX_SLOTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory);
  }

  /** Assigns the slot; returns the ticket for `enter`. */
  hand(slot: number): number {
    this.#lastTicket = this.#lastTicket === MAX_TICKET ? 1 : this.#lastTicket + 1;
    Atomics.store(this.#flags, slot, this.#lastTicket * 2);
    return this.#lastTicket;
  }

  /** False when the attempt was withdrawn meanwhile. */
  enter(slot: number, ticket: number): boolean {
    return Atomics.compareExchange(this.#flags, slot, ticket * 2, ticket * 2 + 1) === ticket * 2;
  }

  hasEntered(slot: number): boolean {
    return (Atomics.load(this.#flags, slot) & 1) === 1;
  }

  /** False when the handler was already entered. */
  withdraw(slot: number): boolean {
    const flag = Atomics.load(this.#flags, slot);
    return (flag & 1) === 0 && Atomics.compareExchange(this.#flags, slot, flag, 0) === flag;
  }
}
