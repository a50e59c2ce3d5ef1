/** The store's port: queues. */

import type { RateLimit } from '../../domain/dispatch/limits.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { BacklogBounds } from '../../domain/queues/backlog.ts';
import type { LaneHead } from './lanes.ts';

export interface QueueName {
  readonly namespace: string;
  readonly name: string;
}

/** Open jobs by state, without those states that have none. What a session holds counts as ASSIGNED. */
export type QueueCounts = Partial<Record<JobState, number>>;

/** What a person may set. */
export interface QueueSettings extends BacklogBounds {
  readonly description: string;
  /** Undefined: no limit. */
  readonly maxConcurrency: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** Of the keys whose weight is not 1. */
  readonly fairnessWeights: Readonly<Record<string, number>>;
}

export interface Queue extends QueueName, QueueSettings {
  readonly paused: boolean;
  readonly pauseReason: string;
  readonly createTimeUs: number;
  /** Another one after each change. */
  readonly etag: string;
  readonly counts: QueueCounts;
}

export interface QueueUpdate {
  /** What is left out stays. */
  readonly settings: Partial<QueueSettings>;
  /** That the queue must have; empty: any. */
  readonly etag: string;
}

export interface QueuePage {
  /** By name; as many as were asked for, or fewer where they are large: at least one if there is one. */
  readonly queues: readonly Queue[];
  readonly hasMore: boolean;
}

/** What became of a change of a queue. */
export type QueueChange =
  /** `reopened`: lanes that were held back and are no more. */
  | { readonly kind: 'done'; readonly queue: Queue; readonly reopened: readonly number[] }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'stale'; readonly etag: string }
  | { readonly kind: 'notEmpty'; readonly openJobs: number };

/** Each is one transaction; a refusal has changed nothing. */
export interface QueueStore {
  read(queue: QueueName): Promise<Queue | undefined>;
  /** Empty `afterName`: from the first. */
  list(namespace: string, afterName: string, limit: number): Promise<QueuePage>;
  create(queue: QueueName, settings: Partial<QueueSettings>): Promise<QueueChange>;
  update(queue: QueueName, update: QueueUpdate): Promise<QueueChange>;
  /** Once it has answered, no job of the queue is assigned. An empty reason leaves the one that is there. */
  pause(queue: QueueName, reason: string): Promise<QueueChange>;
  resume(queue: QueueName): Promise<QueueChange>;
  delete(queue: QueueName): Promise<QueueChange>;
  /** Lowest ranks of those of the lanes that have ready jobs. */
  readHeads(laneIds: readonly number[]): Promise<LaneHead[]>;
  /** Queues with bounds, by name. */
  readBounded(limit: number): Promise<BoundedQueue[]>;
  /** What waits in a queue; since when, only where it is asked for. */
  readBacklog(queue: QueueName, withAge: boolean): Promise<Waiting>;
  /** One step of bounded work on the counts; whether there may be more to do. */
  foldCounts(): Promise<boolean>;
}

export interface BoundedQueue extends QueueName, BacklogBounds {}

/** What waits in a queue, as the store says. */
export interface Waiting {
  /** READY jobs. */
  readonly waiting: number;
  /** Since when the oldest of them is ready, in microseconds on the database's clock; undefined: none, or not asked for. */
  readonly oldestUs: number | undefined;
}
