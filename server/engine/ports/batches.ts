/** What the engine and the store tell each other of batches. */

import type { BatchProgress, FailurePolicy, StopReason } from '../../domain/batches/batch.ts';
import type { BatchRetry, RetryPage } from '../../domain/batches/batch-retry.ts';
import type { NewAuditRecord } from '../../domain/namespaces/audit.ts';
import type { ScheduledJob } from './schedules.ts';

/** What a person says of a batch; its labels are its job's. */
export interface BatchSpec {
  readonly description: string;
  readonly policy: FailurePolicy;
  /** Made when the batch ends. Undefined: nothing is. */
  readonly callback: ScheduledJob | undefined;
}

/** Times are µs since 1970. */
export interface StoredBatch extends BatchSpec {
  readonly members: number;
  /** Undefined: it takes members. */
  readonly sealTimeUs: number | undefined;
  readonly progress: BatchProgress;
  readonly callbackJobId: string | undefined;
  readonly callbackProblem: string | undefined;
  /** Undefined: it retries no other batch. */
  readonly retry: ShownRetry | undefined;
  /** When it was read. */
  readonly nowUs: number;
}

export interface ShownRetry extends BatchRetry {
  /** What the next member waits for. Empty: nothing. */
  readonly waitsFor: string;
}

export interface WrittenBatch {
  readonly jobId: string;
  readonly progress: BatchProgress;
  /** Of one that has ended with a callback: its job, or why it has none. */
  readonly callback?: { readonly jobId: string } | { readonly problem: string } | undefined;
}

/** A batch whose members are being made anew of another one's. */
export interface FillingBatch {
  readonly namespace: string;
  readonly retry: BatchRetry;
  /** Members that it has by now. */
  readonly made: number;
  /** Since when nothing has been added, as a span. */
  readonly idleMs: number;
}

/** Members that did not succeed, by their numbers. */
export interface FailedMembers {
  readonly members: readonly { readonly jobId: string; readonly item: number }[];
  /** Up to here, excluding it, these are all. */
  readonly nextItem: number;
}

export interface BatchStore extends BatchRetryStore {
  /** Beside its job, within `together`. */
  insert(jobId: string, spec: BatchSpec): Promise<void>;
  /** By its job, of any namespace. */
  read(jobId: string): Promise<StoredBatch | undefined>;
  /** Tells the batch so, with an audit record; of one that is sealed or doomed it changes nothing. Waits for those who add members. */
  seal(jobId: string, audit: Pick<NewAuditRecord, 'auditId' | 'namespace'>): Promise<void>;
  /** Within `together`: from now on it takes no members. Returns how many it has. Waits for those who add some. */
  stopFor(jobId: string, why: Exclude<StopReason, 'NO'>): Promise<number>;
  /** Within `together`, by whoever has locked their jobs. */
  write(batches: readonly WrittenBatch[]): Promise<void>;
}

/** A batch that is there is to retry another one. */
export interface NewRetry {
  readonly jobId: string;
  readonly namespace: string;
  readonly retry: BatchRetry;
  /** Of the audit record. */
  readonly auditId: string;
  readonly reason: string;
}

export interface BatchRetryStore {
  /** Within `together`: the job of the batch that retries this one, or will have; undefined: none. Waits for who else asks. */
  lockRetried(jobId: string): Promise<string | undefined>;
  /** Within `together`, with the audit record that says so. */
  insertRetry(retry: NewRetry): Promise<void>;
  /** Undefined: it retries no other batch, or takes no more members. */
  readFilling(jobId: string): Promise<FillingBatch | undefined>;
  /** The next that failed, were cancelled or have expired: of 5,000 members, at most 1,000, or 8 MiB of their inputs. */
  readFailed(retry: BatchRetry): Promise<FailedMembers>;
  /** Members on which it was decided that no new ones are made of them. False: somebody else has stored the page. */
  storePage(jobId: string, page: RetryPage): Promise<boolean>;
  /** Says what the next member waits for. */
  holdRetry(jobId: string, waitsFor: string): Promise<void>;
  /** All members have been looked at: seals the batch and tells it so. */
  endRetry(jobId: string, retry: BatchRetry): Promise<void>;
  /** Batches to which nothing has been added for so long, though they are being filled, longest first. */
  findFilling(idleMs: number, limit: number): Promise<string[]>;
}
