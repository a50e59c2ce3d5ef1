/** The job inbox: work for workflows and batches, and for the dependents of jobs, steps and assets. */
import type { EndEntry, Settled } from '../../domain/dependencies/settle.ts';
import type { WorkflowEntryKind } from '../../domain/jobs/inbox.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { EndedStepState } from '../../domain/workflows/step-state.ts';

/** An entry for a workflow or a batch. */
export interface InboxRow {
  readonly rowId: number;
  readonly kind: WorkflowEntryKind;
  /** Undefined: the entry is for all steps, or for none. */
  readonly step: number | undefined;
  /** CHILDREN_ENDED: their end state, and their items and ids, index by index. */
  readonly state: JobState | undefined;
  readonly items: readonly number[];
  readonly childIds: readonly string[];
  /** SKIP_STEP: why. */
  readonly reason: string | undefined;
}

export interface NewInboxRow {
  readonly kind: WorkflowEntryKind | 'STEP_ENDED';
  /** The workflow or the batch. */
  readonly jobId: string;
  /** Undefined: for all steps, or for none. */
  readonly step?: number | undefined;
  /** STEP_ENDED: the end state. */
  readonly state?: EndedStepState;
  readonly reason?: string;
}

/** Jobs still to cancel after their workflow has ended. */
export interface LeftCancel {
  readonly namespace: string;
  readonly jobId: string;
  /** Undefined: the jobs of all steps. */
  readonly step: number | undefined;
  /** The inbox entry that requests it. */
  readonly rowId: number;
}

/** Entries that no replica has taken in time. */
export interface AbandonedInbox {
  /** Open workflows and batches with entries. */
  readonly workflows: readonly string[];
  readonly cancels: readonly LeftCancel[];
  /** There are ends or publications, of any age, that jobs may depend on. */
  readonly dependencies: boolean;
  /** Where the next look continues: 0 once all entries were looked at. */
  readonly nextRowId: number;
}

/** An entry PAUSE_CHILDREN. */
export interface ChildPause {
  readonly rowId: number;
  /** The workflow or the batch. */
  readonly jobId: string;
  /** Undefined: it has ended. */
  readonly namespace: string | undefined;
}

/** Ends and publications that were taken, with the jobs they concern. */
export interface TakenEnds {
  /** Jobs that ended before some of their children. */
  readonly orphaned: readonly { readonly jobId: string; readonly laneId: number }[];
  readonly settled: readonly Settled[];
  readonly isMore: boolean;
  /** Succeeded jobs whose dependents are all settled: the assets of their definitions are published next. */
  readonly succeeded: readonly { readonly jobId: string; readonly laneId: number; readonly endTimeUs: number }[];
}

export interface InboxStore {
  /**
   * Entries for workflows, by workflow, oldest first; only in the transaction that has locked the workflows. Entries of
   * the kind CANCEL_CHILDREN stay.
   */
  take(jobIds: readonly string[]): Promise<ReadonlyMap<string, InboxRow[]>>;
  /** Within `together`; the transaction has locked the workflows. */
  add(entries: readonly NewInboxRow[]): Promise<void>;
  /** Deletes entries for workflows that have been handled. */
  drop(rowIds: readonly number[]): Promise<void>;
  /**
   * Within `together`: locks a page of ends and publications, and skips those that others have locked. Once per edge
   * that they concern; at most `MAX_END_ENTRIES`, and `MAX_END_EDGES` in all.
   */
  takeEntriesOfEnds(): Promise<EndEntry[]>;
  /** Deletes entries that concern no edge and no child any more. Returns them. */
  dropEntriesOfEnds(rowIds: readonly number[]): Promise<number[]>;
  /**
   * At most `limit` workflows whose oldest entry is older than `olderThanMs`, oldest first, among 10,000 entries after
   * the row; without paused ones, whose entries wait for the resume.
   */
  findAbandoned(olderThanMs: number, limit: number, afterRowId: number): Promise<AbandonedInbox>;
  /** Entries PAUSE_CHILDREN, oldest first. */
  findChildPauses(limit: number): Promise<ChildPause[]>;
}

export interface InboxTransactions {
  /** Within `together`: locks and takes a page of ends and publications, and the jobs that depend on them. */
  takeEnds(): Promise<TakenEnds>;
}
