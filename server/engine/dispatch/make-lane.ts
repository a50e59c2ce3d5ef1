/** Finds and makes lanes: one row for each placement that jobs share. */
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import type { Store } from '../ports/store.ts';

export async function findLane(store: Store, key: LaneKey, breaker?: string): Promise<number | undefined> {
  const found = await store.readLane(key);
  // For a lane that a replica of an older release has made.
  if (found && breaker !== undefined && found.breaker !== breaker) await store.nameBreaker(found.laneId, breaker);
  return found?.laneId;
}

/** Reads first: an insert that conflicts uses up a number of the sequence. */
export async function ensureLane(store: Store, key: LaneKey, breaker?: string): Promise<number> {
  return (await findLane(store, key, breaker)) ?? store.together((tx) => makeLane(tx, key, breaker));
}

/** Within `together`. The second read finds a lane made meanwhile. */
async function makeLane(tx: Store, key: LaneKey, breaker?: string): Promise<number> {
  await tx.ensureQueueOfLane(key);
  await tx.lockDefinitionOfLane(key);
  const found = (await tx.readLane(key))?.laneId ?? (await tx.insertLane(key, breaker));
  const laneId = found ?? (await tx.readLane(key))?.laneId;
  if (laneId === undefined) throw new Error('a lane can neither be found nor made');
  return laneId;
}
