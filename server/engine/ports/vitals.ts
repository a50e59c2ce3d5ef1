/** What monitoring shows of a whole deployment: read from the database now and then, the same at every replica. */

import type { CountedReason } from '../../domain/explain/wait-reasons.ts';
import type { QueueCounts, QueueName } from './queues.ts';

export interface QueueVitals extends QueueName {
  readonly paused: boolean;
  readonly counts: QueueCounts;
}

export interface AllQueues {
  /** Those with most open jobs first. */
  readonly queues: readonly QueueVitals[];
  /** Counts of the queues that were left out, together. Undefined: none was. */
  readonly others: QueueCounts | undefined;
}

/** The job that is next in some lane of a queue. */
export interface LineHead extends QueueName {
  /** Since when it has been ready, in microseconds on the database's clock. */
  readonly readyUs: number;
}

/** Sessions that are open, each counted under the first that fits, and what they offer. */
export interface SessionVitals {
  /** The lease is over; a sweeper has yet to close it. */
  readonly lapsed: number;
  /** It beats, and the bus does not reach it. */
  readonly deaf: number;
  readonly draining: number;
  readonly connected: number;
  /** Slots of all but the lapsed. */
  readonly slots: number;
}

export interface TableVitals {
  readonly table: string;
  /** As the database's statistics estimate them. */
  readonly liveRows: number;
  readonly deadRows: number;
}

export interface DatabaseVitals {
  /** Age of the oldest snapshot or transaction that keeps dead rows from being cleared away, in ms. 0: there is none. */
  readonly oldestSnapshotMs: number;
  readonly tables: readonly TableVitals[];
}

/** A limit on how many jobs of a queue or of a definition workers may hold at once. */
export interface LimitVitals {
  readonly kind: 'queue' | 'definition';
  readonly namespace: string;
  readonly name: string;
  readonly maxConcurrency: number;
  /** Places taken, as whoever assigns under the limit counts them. */
  readonly inUse: number;
  /** Jobs that sessions hold under it, counted one by one. Always as many as places are taken. */
  readonly holders: number;
}

/**
 * Each is one or two statements that count no jobs that wait: what they cost grows with the queues and lanes that have open
 * jobs, and that of the limits with the jobs that are held as well.
 */
export interface VitalsStore {
  readQueues(limit: number): Promise<AllQueues>;
  /** At least one for each queue with ready jobs, as far as its lanes are among the `limit` with most of them. */
  readLineHeads(limit: number): Promise<LineHead[]>;
  /** All that there are of limits of concurrency but those of keys: at first those that are used otherwise than they are held. */
  readLimits(): Promise<LimitVitals[]>;
  /** Deaf is a session whose ping lags `deafAfterBeats` behind. */
  readSessions(deafAfterBeats: number): Promise<SessionVitals>;
  readDatabase(): Promise<DatabaseVitals>;
}

export interface CountedReasons extends QueueName {
  readonly reason: CountedReason;
  readonly jobs: number;
}
