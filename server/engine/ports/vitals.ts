/** Monitoring data of a whole deployment: read from the database periodically, the same at every replica. */

import type { CountedReason } from '../../domain/explain/wait-reasons.ts';
import type { QueueCounts, QueueName } from './queues.ts';

export interface QueueVitals extends QueueName {
  readonly paused: boolean;
  readonly counts: QueueCounts;
}

export interface AllQueues {
  /** Queues with the most open jobs first. */
  readonly queues: readonly QueueVitals[];
  /** Summed counts of the queues left out. Undefined: none was. */
  readonly others: QueueCounts | undefined;
}

/** The next job of a lane of a queue. */
export interface LineHead extends QueueName {
  /** Since when it has been ready, in microseconds on the database's clock. */
  readonly readyUs: number;
}

/** Open sessions, each counted under the first category that fits, and their offers. */
export interface SessionVitals {
  /** The lease has expired; the sweeper has not closed it yet. */
  readonly lapsed: number;
  /** It sends heartbeats, but receives nothing from the bus. */
  readonly deaf: number;
  readonly draining: number;
  readonly connected: number;
  /** Slots of all sessions except lapsed ones. */
  readonly slots: number;
}

export interface TableVitals {
  readonly table: string;
  /** As estimated by the database's statistics. */
  readonly liveRows: number;
  readonly deadRows: number;
}

export interface DatabaseVitals {
  /** Age of the oldest snapshot or transaction that keeps dead rows from being vacuumed, in ms. 0: none. */
  readonly oldestSnapshotMs: number;
  /** How many of the days ahead have their partitions. */
  readonly daysAhead: number;
  readonly tables: readonly TableVitals[];
}

/** A concurrency limit of a queue or of a definition. */
export interface LimitVitals {
  readonly kind: 'queue' | 'definition';
  readonly namespace: string;
  readonly name: string;
  readonly maxConcurrency: number;
  /** Attempts held under the limit, by the lanes' counts that a claim compares with it. */
  readonly inUse: number;
  /** Jobs held by sessions under the limit, counted one by one. Must always equal `inUse`. */
  readonly holders: number;
}

/**
 * No method counts waiting jobs: their cost grows with the queues and lanes that have open jobs, and that of
 * `readLimits` also with the held jobs.
 */
export interface VitalsStore {
  readQueues(limit: number): Promise<AllQueues>;
  /** At least one for each queue with ready jobs, if its lanes are among the `limit` lanes with the most. */
  readLineHeads(limit: number): Promise<LineHead[]>;
  /** All concurrency limits except those of keys; those whose counts differ come first. */
  readLimits(): Promise<LimitVitals[]>;
  /** A session is deaf if its ping lags `deafAfterBeats` heartbeats behind. */
  readSessions(deafAfterBeats: number): Promise<SessionVitals>;
  /** See `DatabaseVitals`. */
  readOldestSnapshotMs(): Promise<number>;
  countDaysAhead(): Promise<number>;
  readTables(): Promise<TableVitals[]>;
}

export interface Vitals extends VitalsStore {
  readDatabase(): Promise<DatabaseVitals>;
}

export interface CountedReasons extends QueueName {
  readonly reason: CountedReason;
  readonly jobs: number;
}
