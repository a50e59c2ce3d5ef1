/**
 * Shared memory in which both threads agree, place by place, on whether a handler was entered. An attempt can so be
 * taken back in one instant, even while the handlers' thread is busy, and then is never entered.
 */
import { MAX_SLOTS } from '../core/limits.ts';

/** Numbers that tell one hand-over of a place from the next; the flag is twice the number, plus one when entered. */
const MAX_TICKET = 2 ** 30 - 1;

export class SlotFlags {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  #lastTicket = 0;

  constructor(memory = new SharedArrayBuffer(MAX_SLOTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory);
  }

  /** Hands the place over; answers the ticket to enter with. */
  hand(slot: number): number {
    this.#lastTicket = this.#lastTicket === MAX_TICKET ? 1 : this.#lastTicket + 1;
    Atomics.store(this.#flags, slot, this.#lastTicket * 2);
    return this.#lastTicket;
  }

  /** False when the attempt was taken back meanwhile. */
  enter(slot: number, ticket: number): boolean {
    return Atomics.compareExchange(this.#flags, slot, ticket * 2, ticket * 2 + 1) === ticket * 2;
  }

  hasEntered(slot: number): boolean {
    return (Atomics.load(this.#flags, slot) & 1) === 1;
  }

  /** False when the handler was entered already. */
  withdraw(slot: number): boolean {
    const flag = Atomics.load(this.#flags, slot);
    return (flag & 1) === 0 && Atomics.compareExchange(this.#flags, slot, flag, 0) === flag;
  }
}
