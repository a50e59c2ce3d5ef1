/** What the engine and the store tell each other of limits. */
import type { LaneHead } from './lanes.ts';

/** What a claim has seen of the limits of its lane. */
export interface LimitsResult {
  /** They leave no room for one more attempt now. */
  readonly exhausted: boolean;
  /** When they will, if it is a rate that one more waits for. */
  readonly openTimeUs: number | undefined;
  /** Keys without room, whose jobs were moved out of the way. */
  readonly deferred: readonly string[];
  /** All ready jobs of the lane have been assigned, or moved out of the way. */
  readonly dry: boolean;
}

export interface LaneUnderLimits {
  readonly laneId: number;
  readonly namespace: string;
  readonly queue: string;
  readonly definition: string;
  /** Of their rates. */
  readonly queueBucketId: string;
  readonly definitionBucketId: string;
}

/** The limits that a claim of one lane keeps. */
export interface LimitsToClaim extends LaneUnderLimits {
  /** Where jobs wait whose keys are at their limit. */
  readonly atLimitLaneId: number;
}

/** What became of keys that were to get their waiting jobs back among the ready ones. */
export interface Requeued {
  /** Keys some of whose jobs wait at the limit, or have until now. */
  readonly deferred: readonly string[];
  readonly lanes: readonly (LaneHead & { readonly jobs: number })[];
  /** Keys that wait for units of a rate. */
  readonly later: readonly { readonly limitId: string; readonly openTimeUs: number }[];
}

export interface KeyLimitOfJob {
  /** Place of the job in its call. */
  readonly index: number;
  readonly definition: string;
  readonly limitId: string;
}
