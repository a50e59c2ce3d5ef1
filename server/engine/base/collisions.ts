/** Retries transactions that collide with others in the database, with a random, growing delay. */

import type { Random, Timers } from '../ports/ports.ts';
import { storeFault } from './errors.ts';

const MAX_RETRIES = 5;
const FIRST_PAUSE_MS = 10;

export interface CollisionParts {
  readonly timers: Timers;
  readonly random: Random;
}

/** Rejects as `work` does: at once, or for a collision after five retries. */
export async function retryCollisions<T>({ timers, random }: CollisionParts, work: () => Promise<T>): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await work();
    } catch (error) {
      if (retry === MAX_RETRIES || storeFault(error) !== 'concurrency') throw error;
      await pause(timers, 2 ** retry * FIRST_PAUSE_MS * random.next());
    }
  }
}

/** Waits: in real time with the real timers, in virtual time in the simulator. */
export function pause(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(ms, resolve);
  });
}
