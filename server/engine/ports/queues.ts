/** The store's port: queues. */

import type { RateLimit } from '../../domain/dispatch/limits.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { BacklogBounds } from '../../domain/queues/backlog.ts';

export interface QueueName {
  readonly namespace: string;
  readonly name: string;
}

/** Open jobs by state, without states at zero. Jobs held by sessions count as ASSIGNED. */
export type QueueCounts = Partial<Record<JobState, number>>;

/** The settings that a person may change. */
export interface QueueSettings extends BacklogBounds {
  readonly description: string;
  /** Undefined: no limit. */
  readonly maxConcurrency: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** Only keys whose weight is not 1. */
  readonly fairnessWeights: Readonly<Record<string, number>>;
}

export interface Queue extends QueueName, QueueSettings {
  readonly paused: boolean;
  readonly pauseReason: string;
  readonly createTimeUs: number;
  /** New after each change. */
  readonly etag: string;
  readonly counts: QueueCounts;
}

/** A queue's row. */
export type StoredQueue = Omit<Queue, 'counts'>;

export interface StoredQueues {
  /** By name, up to the limit; fewer if they are large, but at least one if there is one. */
  readonly queues: readonly StoredQueue[];
  readonly hasMore: boolean;
}

export interface DeletedQueue {
  readonly name: string;
  /** Jobs were made in its lanes since. */
  readonly hasYoungerJobs: boolean;
}

export interface QueueUpdate {
  /** Undefined fields stay as they are. */
  readonly settings: Partial<QueueSettings>;
  /** Required etag; empty: any. */
  readonly etag: string;
}

export interface QueuePage {
  /** By name, up to the limit; fewer if they are large, but at least one if there is one. */
  readonly queues: readonly Queue[];
  readonly hasMore: boolean;
}

/** The result of a change of a queue. */
export type QueueChange =
  /** `reopened`: lanes whose gate has opened. */
  | { readonly kind: 'done'; readonly queue: Queue; readonly reopened: readonly number[] }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'stale'; readonly etag: string }
  | { readonly kind: 'notEmpty'; readonly openJobs: number };

export interface QueueStore {
  find(queue: QueueName): Promise<StoredQueue | 'deleted' | undefined>;
  /** Queues after `afterName`, without the deleted ones. */
  readPage(namespace: string, afterName: string, limit: number): Promise<StoredQueues>;
  /** By name. */
  readCounts(namespace: string, names: readonly string[]): Promise<ReadonlyMap<string, QueueCounts>>;
  /** The deleted queues after `afterName`, of these the one of this `name`; at most 1,000. */
  findDeleted(namespace: string, afterName: string, name: string | undefined): Promise<DeletedQueue[]>;
  /** Restores those that are deleted. Locks them in the order of their names. */
  revive(namespace: string, names: readonly string[]): Promise<void>;
  /** Also restores a deleted queue. False: it exists. */
  insert(queue: QueueName): Promise<boolean>;
  /** Undefined: it does not exist. New lanes of the queue wait until the commit. */
  lock(queue: QueueName): Promise<StoredQueue | undefined>;
  /** `isNew`: the queue's etag stays as it is. */
  writeSettings(queue: QueueName, settings: QueueSettings, isNew: boolean): Promise<void>;
  /** An empty reason keeps the current one. */
  markPaused(queue: QueueName, reason: string): Promise<void>;
  markResumed(queue: QueueName): Promise<void>;
  /** Keeps the row of a queue that has lanes, for the job that restores the queue. */
  markDeleted(queue: QueueName): Promise<void>;
  /** Ids of its lanes, except lanes of clean-ups, which no pause gates. */
  readLanes(queue: QueueName): Promise<number[]>;
  /** Queues with bounds, by namespace and name. */
  readBounded(after: QueueName, limit: number): Promise<BoundedQueue[]>;
  /** The backlog of a queue; its age only on request. */
  readBacklog(queue: QueueName, withAge: boolean): Promise<Waiting>;
  /** One bounded step of folding the counts. Returns whether there may be more. */
  foldCounts(): Promise<boolean>;
}

/** A refusal changes nothing. All of them restore deleted queues that jobs were submitted to since. */
export interface QueueTransactions {
  read(queue: QueueName): Promise<Queue | undefined>;
  /** Empty `afterName`: from the first one. */
  list(namespace: string, afterName: string, limit: number): Promise<QueuePage>;
  create(queue: QueueName, settings: Partial<QueueSettings>): Promise<QueueChange>;
  update(queue: QueueName, update: QueueUpdate): Promise<QueueChange>;
  /** Once it resolves, no job of the queue is assigned. An empty reason keeps the current one. */
  pause(queue: QueueName, reason: string): Promise<QueueChange>;
  resume(queue: QueueName): Promise<QueueChange>;
  delete(queue: QueueName): Promise<QueueChange>;
}

export interface BoundedQueue extends QueueName, BacklogBounds {}

/** The backlog of a queue. */
export interface Waiting {
  /** READY jobs. */
  readonly waiting: number;
  /** Since when the oldest one is ready, in µs on the database's clock; undefined: none, or not requested. */
  readonly oldestUs: number | undefined;
}
