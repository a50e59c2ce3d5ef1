/** Retries of batches: new batches that get as members new jobs of another one's failed members, page by page. */

export type Counts = Readonly<Record<string, number>>;

/** What is retried, and how far that is. */
export interface BatchRetry {
  /** The batch that is retried, by its job. */
  readonly batchJobId: string;
  /** That one has; their numbers count from 0. */
  readonly members: number;
  /** Those of them that are to be retried. */
  readonly failed: number;
  /** Number of the next one to look at. */
  readonly nextItem: number;
  /** Passed over: they had been retried before. */
  readonly retriedBefore: number;
  /** Could not be retried, by reason. They count as failed. */
  readonly notRetried: Counts;
}

/** What became of the members with the numbers from `fromItem` to `nextItem`, excluding that one, besides those that are made anew. */
export interface RetryPage extends Pick<BatchRetry, 'nextItem' | 'retriedBefore' | 'notRetried'> {
  readonly fromItem: number;
}

export function newRetry(batchJobId: string, members: number, failed: number): BatchRetry {
  return { batchJobId, members, failed, nextItem: 0, retriedBefore: 0, notRetried: {} };
}

export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Members that have not been looked at, of a retry that has made so many. */
export function leftOf({ failed, retriedBefore, notRetried }: BatchRetry, made: number): number {
  return Math.max(0, failed - made - retriedBefore - sumOf(notRetried));
}

/** @param duplicates Jobs of the page that a rule of their definition has kept from being made. */
export function afterPage(retry: BatchRetry, page: RetryPage, duplicates: number): BatchRetry {
  const notRetried = plus(plus(retry.notRetried, page.notRetried), duplicates > 0 ? { DUPLICATE_JOB: duplicates } : {});
  return {
    ...retry,
    nextItem: page.nextItem,
    retriedBefore: retry.retriedBefore + page.retriedBefore,
    notRetried,
  };
}

/** Once all have been looked at: those that were not found are kept no longer. */
export function settled(retry: BatchRetry, made: number): BatchRetry {
  const gone = leftOf(retry, made);
  return gone > 0 ? { ...retry, notRetried: plus(retry.notRetried, { JOB_NOT_FOUND: gone }) } : retry;
}

function plus(counts: Counts, more: Counts): Counts {
  const sum: Record<string, number> = { ...counts };
  for (const [reason, count] of Object.entries(more)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
