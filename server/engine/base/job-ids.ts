/** Makes job ids: version 7 UUIDs with the database's time, increasing within a replica. */
import { uuid7, uuidFromBytes } from '../../domain/base/uuid.ts';
import type { Random } from '../ports/ports.ts';
import type { DbClock } from './db-clock.ts';

const COUNTERS_PER_MS = 4096;

export class JobIds {
  readonly #clock: DbClock;
  readonly #random: Random;
  #ms = 0;
  #counter = 0;

  constructor(clock: DbClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    const ms = Math.floor(this.#clock.nowUs() / 1000);
    if (ms > this.#ms) {
      this.#ms = ms;
      this.#counter = 0;
    } else if (++this.#counter === COUNTERS_PER_MS) {
      // More than 4,096 in a millisecond: borrow the next millisecond, which keeps the order.
      this.#ms++;
      this.#counter = 0;
    }
    return uuid7(this.#ms, this.#counter, this.#random.bytes16());
  }
}

/** A random session id, a version 4 UUID: it can't be guessed and is never reused. */
export function sessionIdOf(random: Random): string {
  const bytes = random.bytes16();
  bytes[6] = 0x40 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return uuidFromBytes(bytes);
}
