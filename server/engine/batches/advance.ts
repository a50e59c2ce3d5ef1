/** One batch goes on: from what it was told to its counts, and to its end, within the transaction that holds its lock. */
import { afterNews, type BatchNews, countEnded, endOf, outcomeOf } from '../../domain/batches/batch.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { InnerStore } from '../jobs/submit/inner-jobs.ts';
import type { BatchStore, StoredBatch, WrittenBatch } from '../ports/batches.ts';
import type { NewJob } from '../ports/submissions.ts';
import type { LockedWorkflow, WrittenNews } from '../ports/workflows.ts';
import type { Callbacks } from './callbacks.ts';

export interface AdvancedBatch {
  readonly batch: WrittenBatch;
  readonly news: readonly WrittenNews[];
  readonly jobs: readonly NewJob[];
  /** Set where it has ended. */
  readonly outcome: WorkflowOutcome | undefined;
}

export interface BatchParts {
  readonly store: InnerStore & { readonly batches: BatchStore };
  readonly callbacks: Callbacks;
  readonly namespace: string;
  readonly workflow: LockedWorkflow;
}

function newsOf({ news }: LockedWorkflow): BatchNews {
  return {
    ends: news.flatMap(({ state, childIds }) => (state ? [{ state, jobs: childIds.length }] : [])),
    isCancelled: news.some(({ kind }) => kind === 'CANCEL'),
  };
}

export async function advanceBatch(parts: BatchParts): Promise<AdvancedBatch> {
  const { store, workflow } = parts;
  const { jobId } = workflow;
  const batch = await store.batches.read(jobId);
  if (!batch) throw new Error(`job ${jobId} is no batch`);
  const progress = afterNews(batch.progress, batch.policy, newsOf(workflow), batch.nowUs);
  const { doomed } = progress;
  // Members that were added until now are counted as of the doom; those of one that is neither doomed nor sealed may change.
  const isNew = doomed !== 'NO' && doomed !== batch.progress.doomed;
  const members = isNew ? await store.batches.doom(jobId, doomed) : batch.members;
  const state = endOf(progress, batch.policy, members, batch.sealTimeUs !== undefined);
  if (state) return endBatch(parts, { ...batch, progress, members }, state);
  const isToCancel = isNew && countEnded(progress.ended) < members;
  const news: WrittenNews[] = isToCancel ? [{ jobId, step: undefined, kind: 'CANCEL_CHILDREN' }] : [];
  return { batch: { jobId, progress }, news, jobs: [], outcome: undefined };
}

async function endBatch(
  { store, callbacks, namespace, workflow }: BatchParts,
  { progress, members, callback }: StoredBatch,
  state: WorkflowOutcome['state'],
): Promise<AdvancedBatch> {
  const { jobId, reason } = workflow;
  const outcome = outcomeOf(state, members, progress, reason);
  if (!callback) return { batch: { jobId, progress }, news: [], jobs: [], outcome };
  const { ended: counts, notRetried } = progress;
  const ended = { jobId, state, members, ended: counts, notRetried };
  const job = await callbacks.make(store, namespace, workflow, callback, ended);
  return typeof job === 'string'
    ? { batch: { jobId, progress, callback: { problem: job } }, news: [], jobs: [], outcome }
    : { batch: { jobId, progress, callback: { jobId: job.jobId } }, news: [], jobs: [job], outcome };
}
