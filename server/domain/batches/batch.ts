/** Batches: jobs whose children are their members. When a batch stops, when it ends, and how. */

import { systemFailure } from '../base/payload.ts';
import { type EndRate, noEnds, withEnds } from '../explain/end-rate.ts';
import type { JobState } from '../jobs/job-state.ts';
import type { WorkflowOutcome } from '../workflows/life.ts';

export const MAX_MEMBERS = 1_000_000;

/** Fields of a callback's input that report the outcome of the batch. */
export const callbackFields = ['batch', 'state', 'counts'] as const;

/** Definition of the batches' own jobs; there is one in each namespace that has a batch. */
export const BATCH_DEFINITION = 'muster.batch';

/**
 * How many members may fail. `NONE`: none, but all members still run. A number: up to that many; one more stops the
 * batch.
 */
export type FailurePolicy = 'NONE' | 'ANY' | number;

/** Counts of ended members. */
export interface EndedMembers {
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly skipped: number;
}

export type StopReason = 'NO' | 'FAILED' | 'CANCELLED';

/** Progress of a batch. */
export interface BatchProgress {
  readonly ended: EndedMembers;
  readonly rate: EndRate;
  /** If set, the batch takes no more members and its open members are cancelled. */
  readonly stopReason: StopReason;
  /**
   * For a retry: members of the retried batch that could not be retried; they count as failed. Undefined: not a retry.
   */
  readonly skippedByReason?: number | undefined;
}

export const noneEnded: EndedMembers = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
export const newBatch: BatchProgress = { ended: noneEnded, rate: noEnds, stopReason: 'NO' };

/** Input of a batch decision: members that have ended, or a request to stop. */
export interface BatchEnds {
  readonly ends: readonly { readonly state: JobState; readonly jobs: number }[];
  readonly isCancelled: boolean;
}

const columnOf: Readonly<Partial<Record<JobState, keyof EndedMembers>>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
  SKIPPED: 'skipped',
};

export function countEnded(ended: EndedMembers): number {
  return ended.succeeded + ended.failed + ended.cancelled + ended.expired + ended.skipped;
}

/** Members that did not succeed. */
export function countFailed({ failed, cancelled, expired }: EndedMembers): number {
  return failed + cancelled + expired;
}

/** Failures that count towards the failure policy. */
function failuresOf({ ended, skippedByReason = 0 }: BatchProgress): number {
  return countFailed(ended) + skippedByReason;
}

/** A cancel takes precedence over a failure: a job that is CANCELLING can't fail any more because of its members. */
export function afterEnds(
  batch: BatchProgress,
  policy: FailurePolicy,
  batchEnds: BatchEnds,
  nowUs: number,
): BatchProgress {
  const ended = { ...batch.ended };
  for (const { state, jobs } of batchEnds.ends) {
    const column = columnOf[state];
    if (column) ended[column] += jobs;
  }
  const rate = withEnds(batch.rate, countEnded(ended) - countEnded(batch.ended), nowUs);
  const isTooMany = typeof policy === 'number' && failuresOf({ ...batch, ended }) > policy;
  const stopReason = batchEnds.isCancelled
    ? 'CANCELLED'
    : batch.stopReason === 'NO' && isTooMany
      ? 'FAILED'
      : batch.stopReason;
  return { ...batch, ended, rate, stopReason };
}

/** Undefined while members are open or may still be added. */
export function endOf(
  progress: BatchProgress,
  policy: FailurePolicy,
  members: number,
  isSealed: boolean,
): WorkflowOutcome['state'] | undefined {
  const { ended, stopReason } = progress;
  if (countEnded(ended) < members || !(isSealed || stopReason !== 'NO')) return undefined;
  if (stopReason !== 'NO') return stopReason;
  const allowed = policy === 'ANY' ? Number.POSITIVE_INFINITY : policy === 'NONE' ? 0 : policy;
  return failuresOf(progress) > allowed ? 'FAILED' : 'SUCCEEDED';
}

/** Counts in the form that the callback and the result use. */
export function countsOf(
  members: number,
  { ended, skippedByReason }: Pick<BatchProgress, 'ended' | 'skippedByReason'>,
): Readonly<Record<string, number>> {
  return { members, ...ended, ...(skippedByReason === undefined ? {} : { skipped_by_reason: skippedByReason }) };
}

export function outcomeOf(
  state: WorkflowOutcome['state'],
  members: number,
  progress: BatchProgress,
  reason: string | undefined,
): WorkflowOutcome {
  if (state === 'CANCELLED') return { state, failure: systemFailure('CANCELLED', 'Cancelled', reason ?? 'cancelled') };
  if (state === 'FAILED') {
    const { ended, stopReason, skippedByReason = 0 } = progress;
    const others = skippedByReason > 0 ? `, and ${skippedByReason} could not be retried` : '';
    const stopped = stopReason === 'FAILED' ? '; the batch was stopped, since no more may fail' : '';
    const text = `${countFailed(ended)} of ${members} members did not succeed${others}${stopped}`;
    return { state, failure: systemFailure('APPLICATION', 'MembersFailed', text) };
  }
  const data = new TextEncoder().encode(JSON.stringify(countsOf(members, progress)));
  return { state, result: { data, contentType: 'application/json' } };
}
