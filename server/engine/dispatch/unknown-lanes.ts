/**
 * Lanes that a transaction comes upon and that are not known here yet. Inside of it nothing may be read but by its own handle: it is
 * rolled back, and done again once they are known.
 */

import { UnknownLane } from '../ports/lanes.ts';
import type { Lanes } from './lanes.ts';

/** @throws UnknownLane unless all of them are known. */
export function requireLanes(lanes: Pick<Lanes, 'get' | 'load'>, laneIds: readonly number[]): void {
  const unknown = laneIds.filter((laneId) => !lanes.get(laneId));
  if (unknown.length > 0) throw new UnknownLane(() => lanes.load([...new Set(unknown)]));
}

/** Does the work, again as long as it comes upon lanes that are not known. Each time makes one more known, so this ends. */
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
