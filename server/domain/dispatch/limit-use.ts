/** Use of a lane's limits: what they leave for attempts, and the rate units that attempts take. */
import {
  type Capacity,
  type DefinitionLimits,
  type Headroom,
  headroomOf,
  lowestHeadroom,
  type RateLimit,
  timeOfUnits,
} from './limits.ts';

/** Limits of a lane's queue and definition. */
export interface LaneLimits {
  readonly queue:
    | { readonly maxConcurrency: number | undefined; readonly rateLimit: RateLimit | undefined }
    | undefined;
  readonly definition: DefinitionLimits | undefined;
}

export interface LimitUse {
  readonly limits: LaneLimits;
  readonly queue: Capacity | undefined;
  readonly definition: Capacity | undefined;
  readonly nowUs: number;
}

/** Use of the limit of one key. */
export type KeyUse = Pick<Capacity, 'held' | 'fullTimeUs'>;

export function keyCapacity(limits: DefinitionLimits | undefined, { held, fullTimeUs }: KeyUse): Capacity {
  const { maxConcurrency, rateLimit } = limits?.keyLimit ?? {};
  return { maxConcurrency, rateLimit, held, fullTimeUs };
}

/** Rate units per attempt. */
const costOf = ({ limits }: LimitUse) => limits.definition?.rateCost ?? 1;

/** Headroom under the limits of queue and definition. Limits of keys are separate. */
export function laneHeadroom(use: LimitUse): Headroom {
  const capacities = [use.queue, use.definition].filter((one) => one !== undefined);
  return lowestHeadroom(capacities.map((capacity) => headroomOf(capacity, costOf(use), use.nowUs)));
}

/** By limit id. */
export type Keys = ReadonlyMap<string, { readonly capacity: Capacity; readonly headroom: Headroom }>;

/** `jobs`: with the use of their keys' limits. */
export function keyHeadrooms(
  jobs: readonly (KeyUse & { readonly limitId: string | undefined })[],
  use: LimitUse,
): Keys {
  const keys = new Map<string, { capacity: Capacity; headroom: Headroom }>();
  for (const job of jobs) {
    if (job.limitId === undefined || keys.has(job.limitId)) continue;
    const capacity = keyCapacity(use.limits.definition, job);
    keys.set(job.limitId, { capacity, headroom: headroomOf(capacity, costOf(use), use.nowUs) });
  }
  return keys;
}

export function headroomsOf(keys: Keys): Map<string, Headroom> {
  return new Map(Array.from(keys, ([limitId, { headroom }]) => [limitId, headroom]));
}

/** An attempt assigned under limits. */
export interface Taking {
  readonly limitId: string | undefined;
  /** It is assigned if this job is stored. Undefined: in any case. */
  readonly storedJobId?: string | undefined;
}

/** Units taken from a bucket, as the time in which they come back, in microseconds. */
export interface TakenUnits {
  readonly bucketId: string;
  readonly addedUs: number;
  /** Taken only if this job is stored. Undefined: in any case. */
  readonly storedJobId: string | undefined;
}

/** The bucket of a key has the key's limit id. */
export function unitsTaken(
  buckets: { readonly queueBucketId: string; readonly definitionBucketId: string },
  use: LimitUse,
  keys: Keys,
  assigned: readonly Taking[],
): TakenUnits[] {
  const taken: TakenUnits[] = [];
  const take = (bucketId: string, capacity: Capacity | undefined, jobs: number, storedJobId: string | undefined) => {
    if (capacity?.rateLimit)
      taken.push({ bucketId, addedUs: timeOfUnits(capacity.rateLimit, jobs * costOf(use)), storedJobId });
  };
  for (const [storedJobId, attempts] of Map.groupBy(assigned, (one) => one.storedJobId)) {
    take(buckets.queueBucketId, use.queue, attempts.length, storedJobId);
    take(buckets.definitionBucketId, use.definition, attempts.length, storedJobId);
    if (!use.limits.definition?.keyLimit?.rateLimit) continue;
    for (const [limitId, ofKey] of Map.groupBy(attempts, (one) => one.limitId))
      if (limitId !== undefined) take(limitId, keys.get(limitId)?.capacity, ofKey.length, storedJobId);
  }
  return taken;
}
