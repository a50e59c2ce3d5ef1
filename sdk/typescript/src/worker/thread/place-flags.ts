/**
 * Shared memory in which both threads agree, place by place, on whether a handler was entered. An attempt can so be
 * taken back in one instant, even while the handlers' thread is busy, and then is never entered.
 */
import { MAX_SLOTS } from '../core/limits.ts';

/** Numbers that tell one hand-over of a place from the next; the flag is twice the number, plus one when entered. */
const MAX_TICKET = 2 ** 30 - 1;

export class PlaceFlags {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;
  #lastTicket = 0;

  constructor(memory = new SharedArrayBuffer(MAX_SLOTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory);
  }

  /** Hands the place over; answers the ticket to enter with. */
  hand(place: number): number {
    this.#lastTicket = this.#lastTicket === MAX_TICKET ? 1 : this.#lastTicket + 1;
    Atomics.store(this.#flags, place, this.#lastTicket * 2);
    return this.#lastTicket;
  }

  /** False when the attempt was taken back meanwhile. */
  enter(place: number, ticket: number): boolean {
    return Atomics.compareExchange(this.#flags, place, ticket * 2, ticket * 2 + 1) === ticket * 2;
  }

  hasEntered(place: number): boolean {
    return (Atomics.load(this.#flags, place) & 1) === 1;
  }

  /** False when the handler was entered already. */
  withdraw(place: number): boolean {
    const flag = Atomics.load(this.#flags, place);
    return (flag & 1) === 0 && Atomics.compareExchange(this.#flags, place, flag, 0) === flag;
  }
}
