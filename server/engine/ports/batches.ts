/** Batches, as passed between engine and store. */

import type { BatchProgress, FailurePolicy, StopReason } from '../../domain/batches/batch.ts';
import type { BatchRetry, RetryPage } from '../../domain/batches/batch-retry.ts';
import type { Membership } from '../../domain/batches/membership.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { NewAuditRecord } from '../../domain/namespaces/audit.ts';
import type { ScheduledJob } from './schedules.ts';

/** A person's settings of a batch; its labels are those of its job. */
export interface BatchSpec {
  readonly description: string;
  readonly policy: FailurePolicy;
  /** The job made when the batch ends. Undefined: none. */
  readonly callback: ScheduledJob | undefined;
}

/** Times are µs since 1970. */
export interface StoredBatch extends BatchSpec {
  readonly members: number;
  /** Undefined: the batch takes members. */
  readonly sealTimeUs: number | undefined;
  readonly progress: BatchProgress;
  readonly callbackJobId: string | undefined;
  readonly callbackError: string | undefined;
  /** Undefined: it is not a retry. */
  readonly retry: ShownRetry | undefined;
  /** Time of the read. */
  readonly nowUs: number;
}

export interface ShownRetry extends BatchRetry {
  /** Why the next member waits. Empty: it does not. */
  readonly waitMessage: string;
}

export interface WrittenBatch {
  readonly jobId: string;
  readonly progress: BatchProgress;
  /** Set when a batch with a callback has ended: the callback's job, or why it has none. */
  readonly callback?: { readonly jobId: string } | { readonly problem: string } | undefined;
}

/** A batch that retries another one and is getting its members. */
export interface FillingBatch {
  readonly namespace: string;
  readonly retry: BatchRetry;
  /** Members made so far. */
  readonly made: number;
  /** Time since the last members were added, in ms. */
  readonly idleMs: number;
}

/** Members that did not succeed, by number. */
export interface FailedCount {
  readonly members: readonly { readonly jobId: string; readonly item: number }[];
  /** All failed members with numbers below this one are included. */
  readonly nextItem: number;
}

/** A batch that is to get members. */
export interface LockedBatch extends Membership {
  readonly members: number;
}

export interface BatchJob {
  readonly namespace: string;
  /** Undefined: it has ended. */
  readonly state: JobState | undefined;
  /** It is paused, and its total timeout and those of its members are stopped. */
  readonly timeoutsStopped: boolean;
}

export interface BatchStore extends BatchRetryStore {
  /** Within `together`, after its job. */
  insert(jobId: string, spec: BatchSpec): Promise<void>;
  /** By its job's id, in any namespace. */
  read(jobId: string): Promise<StoredBatch | undefined>;
  /**
   * Adds an inbox entry and an audit record; no effect if sealed or with a stop reason. Waits for calls that add
   * members.
   */
  seal(jobId: string, audit: Pick<NewAuditRecord, 'auditId' | 'namespace'>): Promise<void>;
  /** Within `together`: the batch takes no more members. Returns their number. Waits for calls that add some. */
  stopFor(jobId: string, why: Exclude<StopReason, 'NO'>): Promise<number>;
  /** The caller has locked the batches' jobs, for this and the next one. */
  writeCounts(batches: readonly WrittenBatch[]): Promise<void>;
  /** Of batches that have got one, or that state why they have none. */
  writeCallbacks(batches: readonly WrittenBatch[]): Promise<void>;
  /** No other call adds members until the transaction ends. */
  lockForMembers(jobId: string): Promise<LockedBatch | undefined>;
  /** The batch's own job; after `lockForMembers`, which may have waited while the batch was cancelled or ended. */
  readJob(jobId: string): Promise<BatchJob | undefined>;
  /** Counts new members. The caller has locked the batch, for this and the next one. */
  addMembers(jobId: string, members: number): Promise<void>;
  /** Stores the progress of a retry after a page, with the number of new members. */
  writePage(jobId: string, retry: BatchRetry, made: number): Promise<void>;
}

/** Makes an existing batch the retry of another one. */
export interface NewRetry {
  readonly jobId: string;
  readonly namespace: string;
  readonly retry: BatchRetry;
  /** Id of the audit record. */
  readonly auditId: string;
  readonly reason: string;
}

export interface BatchRetryStore {
  /** Calls that retry the same batch take turns. */
  lockForRetry(jobId: string): Promise<void>;
  /** The job of the batch that retries this one. */
  findRetryOf(jobId: string): Promise<string | undefined>;
  /** Makes the batch a retry. */
  writeNewRetry(jobId: string, retry: BatchRetry): Promise<void>;
  /** Undefined: it is not a retry, or takes no more members. */
  readFilling(jobId: string): Promise<FillingBatch | undefined>;
  /** The next members that failed, were cancelled or expired, among 5,000. At most 1,000, or 8 MiB of their inputs. */
  readFailed(retry: BatchRetry): Promise<FailedCount>;
  /** Undefined: it is not a retry, or takes no more members. */
  lockFilling(jobId: string): Promise<BatchRetry | undefined>;
  /** Stores why the next member waits. */
  delayRetry(jobId: string, waitMessage: string): Promise<void>;
  /** Called after all members: seals the batch and adds an inbox entry. */
  endRetry(jobId: string, retry: BatchRetry): Promise<void>;
  /** Retrying batches that got no members for this long, the longest idle first. */
  findFilling(idleMs: number, limit: number): Promise<string[]>;
}

export interface BatchTransactions {
  /** Within `together`; the caller has locked their jobs. */
  write(batches: readonly WrittenBatch[]): Promise<void>;
  /** Within `together`: the job of the batch that retries this one; undefined: none. Locks out other calls. */
  lockRetried(jobId: string): Promise<string | undefined>;
  /** Within `together`, with its audit record. */
  insertRetry(retry: NewRetry): Promise<void>;
  /** Stores a page of members that get no new job. False: another replica has stored the page. */
  storePage(jobId: string, page: RetryPage): Promise<boolean>;
}
