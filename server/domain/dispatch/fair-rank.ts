/**
 * Ranks that share a lane fairly between keys: each job of a key ranks one step behind the one before it, a step as long as
 * the key's share is small, and the first job of a key that had none waiting ranks one step behind the lane's head. So
 * between keys with waiting jobs the workers are shared by weight, and no newcomer, nor any number of them, keeps a waiting
 * job from its turn (self-clocked fair queueing).
 */

/** Of a key of weight 1. Short, so that ranks stay near the time: up to 10,000 jobs a second of each waiting key. */
const STEP_US = 100;

export const MIN_WEIGHT = 0.01;
export const MAX_WEIGHT = 100;

/** By how much a job of a key of this weight ranks behind the one before it, in microseconds. */
export function fairStep(weight: number): number {
  return Math.max(1, Math.round(STEP_US / weight));
}

/** What is known of a lane, in microseconds. */
export interface FairLane {
  /** Lowest rank of its ready jobs from `floorUs` on; undefined: there is none. */
  readonly headUs: number | undefined;
  /** Where its ready jobs began when it was looked at before, or the time now, if that is less. */
  readonly floorUs: number;
  /** There are ready jobs below the floor: their priority or expiry has moved them ahead. */
  readonly hasAhead: boolean;
  /** Where the ready jobs of the queue's other lanes begin, if this one has none; undefined: they have none either. */
  readonly othersUs?: number | undefined;
}

/**
 * The rank that a key goes on from that had nothing waiting. It does not follow jobs that were moved ahead, or newcomers
 * would be moved ahead with them.
 */
export function virtualTime({ headUs, floorUs, hasAhead, othersUs }: FairLane, nowUs: number): number {
  return headUs ?? (hasAhead ? floorUs : (othersUs ?? nowUs));
}
