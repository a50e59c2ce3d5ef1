/** Adds jobs to a batch as members, within the transaction that stores them. */
import { MAX_MEMBERS } from '../../domain/batches/batch.ts';
import { afterPage, type BatchRetry } from '../../domain/batches/batch-retry.ts';
import { type MembersRefused, whyRefused } from '../../domain/batches/membership.ts';
import { decidePauseIfPossible } from '../../domain/jobs/pause.ts';
import { withParentText } from '../../domain/jobs/pause-children.ts';
import type { Store } from '../ports/store.ts';
import type { BatchRefusal, Insertion, SubmitCall } from '../ports/submissions.ts';

/** Max jobs per statement. */
const PAGE = 1_000;

export interface OpenBatch {
  readonly jobId: string;
  /** The batch's members. No other call adds any until the transaction ends. */
  readonly members: number;
  /** Undefined: the batch retries no other batch. */
  readonly retry: BatchRetry | undefined;
  /** New members start nothing until it is resumed. Undefined: it is not paused. */
  readonly paused: { readonly stopsTimeouts: boolean } | undefined;
}

/** Locks the batch of a call. Undefined: the call has no batch. */
export async function openBatch(
  tx: Store,
  { namespace, batchJobId: jobId, retryPage }: SubmitCall,
): Promise<OpenBatch | BatchRefusal | undefined> {
  if (jobId === undefined) return undefined;
  // In this order: the lock may wait while the batch is cancelled or ends, and the job is read after it.
  const [batch, job] = await Promise.all([tx.batches.lockForMembers(jobId), tx.batches.readJob(jobId)]);
  if (!batch || job?.namespace !== namespace) return refused({ jobId, members: 0 }, 'NOT_FOUND');
  const why = whyRefused(batch, job.state, retryPage);
  const paused = job.state === 'PAUSED' ? { stopsTimeouts: job.timeoutsStopped } : undefined;
  const open = { jobId, members: batch.members, retry: batch.retry, paused };
  return why ? refused(open, why) : open;
}

function refused({ jobId, members }: Pick<OpenBatch, 'jobId' | 'members'>, why: MembersRefused): BatchRefusal {
  return { kind: 'batchRefused', jobId, why, members };
}

/** Makes the jobs members of the batch, numbered from its current member count. */
export function withParents(insertion: Insertion, batch: OpenBatch): Insertion | BatchRefusal {
  const { jobId, members } = batch;
  if (members + insertion.jobs.length > MAX_MEMBERS) return refused(batch, 'FULL');
  const jobs = insertion.jobs.map((job, i) => ({ ...job, parent: { jobId, step: 0, item: members + i } }));
  return { ...insertion, jobs };
}

export async function addMembers(
  tx: Store,
  { jobId, retry }: OpenBatch,
  { call, jobs }: Pick<Insertion, 'call' | 'jobs'>,
): Promise<void> {
  const members = jobs.length;
  const { retryPage: page } = call;
  if (retry && page) await tx.batches.writePage(jobId, afterPage(retry, page, call.jobs.length - members), members);
  else if (members > 0) await tx.batches.addMembers(jobId, members);
}

/** Pauses new members of a paused batch before anybody can see them. */
export async function pauseMembers(tx: Store, { jobId, paused }: OpenBatch, { call, jobs }: Insertion): Promise<void> {
  const request = { reason: withParentText(jobId, null), withParent: true, ...paused };
  for (let at = 0; at < jobs.length; at += PAGE) {
    const jobIds = jobs.slice(at, at + PAGE).map((job) => job.jobId);
    const selection = { by: 'jobs', namespace: call.namespace, jobIds } as const;
    await tx.change(selection, (run, nowUs) => decidePauseIfPossible(run, request, nowUs));
  }
}
