/** Retries of batches: a new batch gets new jobs made from the failed members of another batch, page by page. */

export type Counts = Readonly<Record<string, number>>;

/** The batch that is retried, and the progress of the retry. */
export interface BatchRetry {
  /** Id of the job of the batch that is retried. */
  readonly batchJobId: string;
  /** Number of members of that batch; they are numbered from 0. */
  readonly members: number;
  /** Number of those members that are to be retried. */
  readonly failed: number;
  /** Number of the next member to read. */
  readonly nextItem: number;
  /** Members skipped because they had been retried before. */
  readonly retriedBeforeCount: number;
  /** Members that could not be retried, by reason. They count as failed. */
  readonly skippedByReason: Counts;
}

/** Outcome of one page: the members from `fromItem` to `nextItem` (exclusive) that did not get a new job. */
export interface RetryPage extends Pick<BatchRetry, 'nextItem' | 'retriedBeforeCount' | 'skippedByReason'> {
  readonly fromItem: number;
}

export function newRetry(batchJobId: string, members: number, failed: number): BatchRetry {
  return { batchJobId, members, failed, nextItem: 0, retriedBeforeCount: 0, skippedByReason: {} };
}

export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Failed members that were not read yet, for a retry that has made `made` jobs. */
export function leftOf({ failed, retriedBeforeCount, skippedByReason }: BatchRetry, made: number): number {
  return Math.max(0, failed - made - retriedBeforeCount - sumOf(skippedByReason));
}

/** @param duplicates Jobs of the page that a submission rule of their definition suppressed. */
export function afterPage(retry: BatchRetry, page: RetryPage, duplicates: number): BatchRetry {
  const skippedByReason = plus(
    plus(retry.skippedByReason, page.skippedByReason),
    duplicates > 0 ? { DUPLICATE_JOB: duplicates } : {},
  );
  return {
    ...retry,
    nextItem: page.nextItem,
    retriedBeforeCount: retry.retriedBeforeCount + page.retriedBeforeCount,
    skippedByReason,
  };
}

/** Called once every page was read: members that were not found are beyond their retention. */
export function settled(retry: BatchRetry, made: number): BatchRetry {
  const gone = leftOf(retry, made);
  return gone > 0 ? { ...retry, skippedByReason: plus(retry.skippedByReason, { JOB_NOT_FOUND: gone }) } : retry;
}

function plus(counts: Counts, more: Counts): Counts {
  const sum: Record<string, number> = { ...counts };
  for (const [reason, count] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
