/** Limits, as passed between engine and store. */

import type { OpenOfKey } from '../../domain/dispatch/limit-policy.ts';
import type { KeyUse, LaneLimits, LimitUse, TakenUnits } from '../../domain/dispatch/limit-use.ts';
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
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
  /** The time by the replica's own clock. */
  readonly ownUs: number;
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

export interface UseOfKey extends KeyUse {
  readonly limitId: string;
}

/** A key with deferred jobs. */
export interface LimitedKey extends KeyUse {
  readonly limitId: string;
  /** Limits of its definition. */
  readonly limits: DefinitionLimits | undefined;
  readonly nowUs: number;
}

export interface KeyLimitOfJob {
  /** Index of the job in its call. */
  readonly index: number;
  readonly definition: string;
  readonly limitId: string;
}

/** Limits, their use, and jobs deferred at the limit of their key. */
export interface LimitStore {
  /**
   * Locks the limits of the lane's queue, then of its definition: until the end of the transaction no other one assigns
   * anything under them.
   */
  lockLimits(lane: LaneUnderLimits): Promise<LaneLimits>;
  /** Use of the limits of the queue and the definition. After `lockLimits` it includes all earlier assignments. */
  readLimitUse(lane: Omit<LaneUnderLimits, 'laneId' | 'ownUs'>): Promise<LimitUse>;
  /**
   * After `lockLimits`, and after the statement that assigns. `readUs`: when the use was read; a clock of the database
   * that has stepped since does not count. Sent with the commit; not awaited.
   */
  takeRateUnits(taken: readonly TakenUnits[], readUs: number): void;
  /**
   * Limits by definition, in order. Claims under them take the same locks: a job that is open after this stays open
   * until the transaction ends.
   */
  lockKeyLimits(namespace: string, definitions: readonly string[]): Promise<ReadonlyMap<string, DefinitionLimits>>;
  /** Open jobs by limit id, deferred ones included. */
  readOpenOfLimits(limitIds: readonly string[]): Promise<ReadonlyMap<string, OpenOfKey>>;
  /** Use of the limits of these keys of the lane's definition. After `lockLimits` it includes all earlier assignments. */
  readUseOfKeys(lane: LaneUnderLimits, limitIds: readonly string[]): Promise<UseOfKey[]>;
  /** Those of the keys that have deferred jobs, with their use. */
  readDeferredKeys(limitIds: readonly string[]): Promise<readonly LimitedKey[]>;
  /** Moves the deferred among the first `jobs` jobs of each key back to the ready ones of their lanes. */
  requeueFirst(keys: readonly { readonly limitId: string; readonly jobs: number }[]): Promise<Requeued['lanes']>;
  /** Keys with marked ready jobs, in the order of their ids, after `afterLimitId`. */
  readWaitingKeys(afterLimitId: string, limit: number): Promise<string[]>;
  readDefinitionLimits(namespace: string, definition: string): Promise<DefinitionLimits | undefined>;
  /** Undefined: none. */
  setDefinitionLimits(namespace: string, definition: string, limits: DefinitionLimits | undefined): Promise<void>;
  /** Locks all versions: others make no lanes of the definition until the commit. Waits for those under way. */
  lockDefinitionVersions(namespace: string, definition: string): Promise<void>;
  readDefinitionLanes(namespace: string, definition: string): Promise<number[]>;
  /** Locks them in the order of their ids. */
  lockLanesToLimit(laneIds: readonly number[]): Promise<void>;
  /** Gates those lanes of which claims must check limits, and only those. They are locked. */
  alignLimitedLanes(laneIds: readonly number[]): Promise<void>;
}

export interface LimitTransactions {
  /**
   * Moves jobs deferred at these keys' limits back to the ready ones, as far as there is capacity. At most 500 keys.
   */
  requeueDeferred(limitIds: readonly string[]): Promise<Requeued>;
}
