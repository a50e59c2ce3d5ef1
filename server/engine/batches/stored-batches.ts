/** Writes the progress of batches, and the retries of batches. Each function with `tx` runs within a transaction. */
import { afterPage, type RetryPage } from '../../domain/batches/batch-retry.ts';
import type { NewRetry, WrittenBatch } from '../ports/batches.ts';
import type { Store } from '../ports/store.ts';

/** The caller has locked the batches' jobs. */
export async function writeBatches(tx: Store, batches: readonly WrittenBatch[]): Promise<void> {
  await Promise.all([tx.batches.writeCounts(batches), tx.batches.writeCallbacks(batches)]);
}

/** The job of the batch that retries this one; undefined: none. Locks out other calls. */
export async function lockRetried(tx: Store, jobId: string): Promise<string | undefined> {
  // Separate statements: a retry that was stored while the first one waited is younger than its snapshot.
  const [, retryJobId] = await Promise.all([tx.batches.lockForRetry(jobId), tx.batches.findRetryOf(jobId)]);
  return retryJobId;
}

export async function insertRetry(tx: Store, { jobId, namespace, auditId, reason, retry }: NewRetry): Promise<void> {
  await tx.batches.writeNewRetry(jobId, retry);
  const record = { auditId, namespace, jobId: retry.batchJobId, reason, subject: jobId };
  await tx.insertAudits([{ ...record, action: 'RETRY_BATCH' }]);
}

/** Stores a page of members that get no new job. False: another replica has stored the page. */
export function storePage(store: Store, jobId: string, page: RetryPage): Promise<boolean> {
  return store.together(async (tx) => {
    const retry = await tx.batches.lockFilling(jobId);
    if (retry?.nextItem !== page.fromItem) return false;
    await tx.batches.writePage(jobId, afterPage(retry, page, 0), 0);
    return true;
  });
}
