/** Entries of the job inbox. */
import { isSuspended } from './decide.ts';
import type { Continue, OpenRun } from './run.ts';

/**
 * Codes as stored in SQL. Each entry is written by the transaction that makes it true, and taken by the transaction that
 * acts on it. Up to SKIP_STEP they are for a workflow or a batch.
 */
export const inboxKinds = {
  /** Its open jobs must be paused, or resumed, as the workflow or the batch itself is; the entry stays until they are. */
  PAUSE_CHILDREN: 0,
  /** The workflow was started. */
  STARTED: 1,
  /** Jobs of a step have ended. */
  CHILDREN_ENDED: 2,
  /** A cancel was requested. */
  CANCEL: 3,
  /** Its total timeout has passed. */
  TIME_OUT: 4,
  /** One transaction could not do all the work. */
  CONTINUE: 5,
  /** Open jobs of a step, or of all steps, must be cancelled; the entry stays until they are. */
  CANCEL_CHILDREN: 6,
  /** For a batch: it gets no more members. */
  SEALED: 7,
  /** A step is skipped manually. */
  SKIP_STEP: 8,
  /** For the jobs that depend on the job. */
  JOB_ENDED: 9,
  /** For the jobs that depend on the step. */
  STEP_ENDED: 10,
  /** For the jobs that depend on the asset. */
  ASSET_PUBLISHED: 11,
} as const;
/** For a workflow or a batch. */
export type WorkflowEntryKind = Exclude<keyof typeof inboxKinds, 'JOB_ENDED' | 'STEP_ENDED' | 'ASSET_PUBLISHED'>;

/** The entry for the workflow, or the batch, that the change starts, stops, pauses or resumes. Undefined: none of these. */
export function entryKindOf({ run, event, begun }: Continue): WorkflowEntryKind | undefined {
  if (event === 'start') return 'STARTED';
  if (event === 'raise') return undefined;
  if (begun || event === 'resume') return begun || run.begun ? 'PAUSE_CHILDREN' : undefined;
  if (!hasBegun(run)) return undefined;
  return event === 'timeOut' ? 'TIME_OUT' : event === 'requestCancel' ? 'CANCEL' : undefined;
}

/** Of a workflow or a batch. */
export function hasBegun(run: OpenRun): boolean {
  return run.begun || (run.state === 'WAITING' && !isSuspended(run));
}

/** Codes as stored in SQL: who acts on an entry, by its kind. */
export const recipients = { WORKFLOW: 1, DEPENDENTS: 2 } as const;

/** Maximum entries of ends and publications taken by one transaction, and of edges that they concern. */
export const MAX_END_ENTRIES = 100;
export const MAX_END_EDGES = 1_000;

/** Maximum entries for workflows taken by one transaction. */
export const MAX_INBOX_ROWS = 1_000;
