/**
 * Lanes that a transaction meets and that are not loaded here yet. Nothing may be read inside a transaction except
 * through its own handle, so it is rolled back, and repeated once the lanes are loaded.
 */

import { UnknownLane } from '../ports/lanes.ts';
import type { Lanes } from './lanes.ts';

/** @throws UnknownLane unless all of them are known. */
export function requireLanes(lanes: Pick<Lanes, 'get' | 'load'>, laneIds: readonly number[]): void {
  const unknown = laneIds.filter((laneId) => !lanes.get(laneId));
  if (unknown.length > 0) throw new UnknownLane(() => lanes.load([...new Set(unknown)]));
}

/**
 * Does the work, and repeats it after loading lanes that it did not know. Each attempt loads at least one, so it ends.
 */
export async function knowingLanes<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnknownLane)) throw error;
      await error.learn();
    }
  }
}
