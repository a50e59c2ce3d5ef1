/**
 * Ranks that share a lane fairly between keys (self-clocked fair queueing). Each job of a key ranks one step behind the
 * key's previous job; the smaller the key's weight, the longer the step. The first job of a key with nothing waiting
 * ranks one step behind the lane's head. So workers are shared by weight between keys with waiting jobs, and newcomers,
 * however many, never keep a waiting job from its turn.
 */

/**
 * Step of a key of weight 1. Short, so that ranks stay near real time: up to 10,000 jobs a second for each waiting key.
 */
const STEP_US = 100;

export const MIN_WEIGHT = 0.01;
export const MAX_WEIGHT = 100;

/** Microseconds between the ranks of consecutive jobs of a key with this weight. */
export function fairStep(weight: number): number {
  return Math.max(1, Math.round(STEP_US / weight));
}

/** State of a lane; times in microseconds. */
export interface FairLane {
  /** Lowest rank of its ready jobs from `floorUs` on; undefined: there are none. */
  readonly headUs: number | undefined;
  /** Where its ready jobs began at the previous lookup, or the current time if that is lower. */
  readonly floorUs: number;
  /** There are ready jobs below the floor: their priority or expiry moved them ahead. */
  readonly hasAhead: boolean;
  /**
   * If the lane has no ready jobs: where the ready jobs of the queue's other lanes begin; undefined: they have none
   * either.
   */
  readonly othersUs?: number | undefined;
}

/**
 * The rank from which a key continues that had nothing waiting. It ignores jobs that were moved ahead; otherwise
 * newcomers would be moved ahead with them.
 */
export function virtualTime({ headUs, floorUs, hasAhead, othersUs }: FairLane, nowUs: number): number {
  return headUs ?? (hasAhead ? floorUs : (othersUs ?? nowUs));
}
