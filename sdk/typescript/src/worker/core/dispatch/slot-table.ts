/** The slots in which handlers run. They belong to the worker and outlive its sessions. */

import { MAX_SLOTS } from '../base/limits.ts';
import type { Execution, Held } from './held.ts';

export class SlotTable {
  #slots: number;
  readonly #taken: (Execution | undefined)[] = [];
  readonly #vacant: number[] = [];
  #busy = 0;

  constructor(slots: number) {
    this.#slots = checkedSlots(slots);
  }

  /** Handlers that may run at once. */
  get slots(): number {
    return this.#slots;
  }

  set slots(slots: number) {
    this.#slots = checkedSlots(slots);
  }

  /** Running handlers, including those that were asked to stop and have not returned. */
  get busy(): number {
    return this.#busy;
  }

  get free(): number {
    return Math.max(0, this.#slots - this.#busy);
  }

  take(held: Held, timeoutAt: number): Execution {
    const slot = this.#vacant.pop() ?? this.#taken.length;
    const execution = { slot, timeoutAt, extensionMs: 0, graceAt: Number.POSITIVE_INFINITY, stopped: undefined, held };
    this.#taken[slot] = execution;
    this.#busy++;
    return execution;
  }

  get(slot: number): Execution | undefined {
    return this.#taken[slot];
  }

  /** The handler in `slot` has returned, or was never entered. */
  release(slot: number): Execution | undefined {
    const execution = this.#taken[slot];
    if (execution === undefined) return undefined;
    this.#taken[slot] = undefined;
    this.#vacant.push(slot);
    this.#busy--;
    return execution;
  }

  *[Symbol.iterator](): Generator<Execution> {
    for (const execution of this.#taken) if (execution !== undefined) yield execution;
  }
}

function checkedSlots(slots: number): number {
  if (Number.isInteger(slots) && slots >= 1 && slots <= MAX_SLOTS) return slots;
  throw new RangeError(`slots must be a whole number from 1 to ${MAX_SLOTS}, not ${slots}`);
}
