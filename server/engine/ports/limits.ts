/** Limits, as passed between engine and store. */
import type { LaneHead } from './lanes.ts';

/** What a claim saw of its lane's limits. */
export interface LimitsResult {
  /** They have no capacity for one more attempt now. */
  readonly exhausted: boolean;
  /** When a rate limit has capacity again, if the lane waits for a rate. */
  readonly openTimeUs: number | undefined;
  /** Keys without capacity, whose jobs were deferred. */
  readonly deferred: readonly string[];
  /** All ready jobs of the lane have been assigned or deferred. */
  readonly dry: boolean;
}

export interface LaneUnderLimits {
  readonly laneId: number;
  readonly namespace: string;
  readonly queue: string;
  readonly definition: string;
  /** Token buckets of their rates. */
  readonly queueBucketId: string;
  readonly definitionBucketId: string;
}

/** The limits for a claim of one lane. */
export interface LimitsToClaim extends LaneUnderLimits {
  /** The lane for jobs deferred at their key's limit. */
  readonly atLimitLaneId: number;
}

/** The result of requeuing the deferred jobs of keys. */
export interface Requeued {
  /** Keys that have, or just had, deferred jobs. */
  readonly deferred: readonly string[];
  readonly lanes: readonly (LaneHead & { readonly jobs: number })[];
  /** Keys that wait for units of a rate. */
  readonly later: readonly { readonly limitId: string; readonly openTimeUs: number }[];
}

export interface KeyLimitOfJob {
  /** Index of the job in its call. */
  readonly index: number;
  readonly definition: string;
  readonly limitId: string;
}

/** Jobs deferred at the limit of their key. */
export interface LimitStore {
  /**
   * Moves jobs deferred at these keys' limits back to the ready ones, as far as there is capacity. At most 500 keys.
   */
  requeueDeferred(limitIds: readonly string[]): Promise<Requeued>;
  /** Keys with marked ready jobs, in the order of their ids, after `afterLimitId`. */
  readWaitingKeys(afterLimitId: string, limit: number): Promise<string[]>;
}
