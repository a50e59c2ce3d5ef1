/** The job inbox: work for workflows and batches, and for the dependents of jobs, steps and assets. */
import type { WorkflowEntryKind } from '../../domain/jobs/inbox.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { EndedStepState } from '../../domain/workflows/step-state.ts';

/** An entry for a workflow or a batch. */
export interface InboxRow {
  readonly rowId: number;
  readonly kind: WorkflowEntryKind;
  /** Undefined: of all, or of none. */
  readonly step: number | undefined;
  /** CHILDREN_ENDED: how they ended, their items and ids, index by index. */
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
  /** Undefined: of all steps, or of none. */
  readonly step?: number | undefined;
  /** STEP_ENDED: how. */
  readonly state?: EndedStepState;
  readonly reason?: string;
}

/** Jobs that an ended workflow has left to cancel. */
export interface LeftCancel {
  readonly namespace: string;
  readonly jobId: string;
  /** Undefined: of all steps. */
  readonly step: number | undefined;
  /** The entry that says so. */
  readonly rowId: number;
}

/** Entries that no reader has taken. */
export interface AbandonedInbox {
  /** Open workflows and batches that have something to act upon. */
  readonly workflows: readonly string[];
  readonly cancels: readonly LeftCancel[];
  /** There are ends or publications, of any age, that jobs may depend on. */
  readonly dependencies: boolean;
}

/** A job that waits no more. */
export interface Settled {
  readonly namespace: string;
  readonly jobId: string;
  /** Undefined: all dependencies are met. Else the reason for which the job ends. */
  readonly unmet: string | undefined;
}

/** Ends and publications that were taken, and what they settled. */
export interface TakenEnds {
  /** Jobs that have ended before some of their children. */
  readonly orphaned: readonly { readonly jobId: string; readonly laneId: number }[];
  readonly settled: readonly Settled[];
  readonly isMore: boolean;
  /** Jobs that have succeeded and whose dependents are all settled: their definitions' assets are published next. */
  readonly succeeded: readonly { readonly jobId: string; readonly laneId: number; readonly endTimeUs: number }[];
}

/** `WorkflowStore.lock` takes the entries of workflows: only the transaction that has locked one may. */
export interface InboxStore {
  /** Within `together`, by the transaction that has locked the workflows. */
  add(entries: readonly NewInboxRow[]): Promise<void>;
  /** Of workflows, acted upon. */
  drop(rowIds: readonly number[]): Promise<void>;
  /** Within `together`: locks and takes a page of ends and publications, and the jobs that depend on them. */
  takeEnds(): Promise<TakenEnds>;
  /** At most `limit` workflows whose oldest entry is older than `olderThanMs`, the oldest first. */
  findAbandoned(olderThanMs: number, limit: number): Promise<AbandonedInbox>;
}
