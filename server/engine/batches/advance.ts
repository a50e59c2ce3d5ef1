/**
 * Advances one batch: applies its inbox to its counts, and ends it if complete, in the transaction that holds its lock.
 */
import { afterEnds, type BatchEnds, countEnded, endOf, outcomeOf } from '../../domain/batches/batch.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { InnerStore } from '../jobs/submit/inner-jobs.ts';
import type { BatchStore, StoredBatch, WrittenBatch } from '../ports/batches.ts';
import type { NewInboxRow } from '../ports/inbox.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';
import type { Callbacks } from './callbacks.ts';

export interface AdvancedBatch {
  readonly batch: WrittenBatch;
  readonly inbox: readonly NewInboxRow[];
  readonly jobs: readonly NewJob[];
  /** Set if the batch has ended. */
  readonly outcome: WorkflowOutcome | undefined;
}

export interface BatchParts {
  readonly store: InnerStore & { readonly batches: BatchStore };
  readonly callbacks: Callbacks;
  readonly namespace: string;
  readonly workflow: LockedWorkflow;
}

function batchEndsOf({ inbox }: LockedWorkflow): BatchEnds {
  return {
    ends: inbox.flatMap(({ state, childIds }) => (state ? [{ state, jobs: childIds.length }] : [])),
    isCancelled: inbox.some(({ kind }) => kind === 'CANCEL'),
  };
}

export async function advanceBatch(parts: BatchParts): Promise<AdvancedBatch> {
  const { store, workflow } = parts;
  const { jobId } = workflow;
  const batch = await store.batches.read(jobId);
  if (!batch) throw new Error(`job ${jobId} is no batch`);
  const progress = afterEnds(batch.progress, batch.policy, batchEndsOf(workflow), batch.nowUs);
  const { stopReason } = progress;
  // A new stop reason makes the number of members final; without one, an unsealed batch may still get more.
  const isNew = stopReason !== 'NO' && stopReason !== batch.progress.stopReason;
  const members = isNew ? await store.batches.stopFor(jobId, stopReason) : batch.members;
  const state = endOf(progress, batch.policy, members, batch.sealTimeUs !== undefined);
  if (state) return endBatch(parts, { ...batch, progress, members }, state);
  const isToCancel = isNew && countEnded(progress.ended) < members;
  const inbox: NewInboxRow[] = isToCancel ? [{ jobId, step: undefined, kind: 'CANCEL_CHILDREN' }] : [];
  return { batch: { jobId, progress }, inbox, jobs: [], outcome: undefined };
}

async function endBatch(
  { store, callbacks, namespace, workflow }: BatchParts,
  { progress, members, callback }: StoredBatch,
  state: WorkflowOutcome['state'],
): Promise<AdvancedBatch> {
  const { jobId, reason } = workflow;
  const outcome = outcomeOf(state, members, progress, reason);
  if (!callback) return { batch: { jobId, progress }, inbox: [], jobs: [], outcome };
  const { ended: counts, skippedByReason } = progress;
  const ended = { jobId, state, members, ended: counts, skippedByReason };
  const job = await callbacks.make(store, namespace, workflow, callback, ended);
  return typeof job === 'string'
    ? { batch: { jobId, progress, callback: { problem: job } }, inbox: [], jobs: [], outcome }
    : { batch: { jobId, progress, callback: { jobId: job.jobId } }, inbox: [], jobs: [job], outcome };
}
