/** Batches: their members, their ends, and batches that retry others. */

import { systemFailure } from '../../../../server/domain/base/payload.ts';
import { newRetry, type RetryPage } from '../../../../server/domain/batches/batch-retry.ts';
import { decideFinish } from '../../../../server/domain/workflows/life.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import { makeBatch, makeRetry, plain, retryPage } from '../store-batches.ts';
import type { StoreContext } from '../store-context.ts';
import { makeCall, makeJob, newJobId, submitMany } from '../store-fixtures.ts';
import { groupOf, type LockedRows, type Operation, openAgain, quoted, turned } from './locked-rows.ts';

interface BatchRows {
  readonly batchIds: readonly string[];
  /** Batches that retry others. */
  readonly retryIds: readonly string[];
}

const failed = { state: 'FAILED', failure: systemFailure('APPLICATION', 'Oops', 'members failed') } as const;

/** Ends the locked ones, as in the engine. */
async function advance({ workflows, batches, inbox, change }: Store, jobIds: readonly string[]): Promise<void> {
  const locked = (await workflows.lock(jobIds)).map(({ jobId }) => jobId);
  const ended = await Promise.all(
    locked.map(async (jobId) => {
      const batch = await batches.read(jobId);
      if (!batch) throw new Error(`job ${jobId} is no batch`);
      await batches.stopFor(jobId, 'FAILED');
      return { jobId, progress: batch.progress, callback: { problem: 'none' } };
    }),
  );
  await Promise.all([
    batches.write(ended),
    inbox.add(locked.map((jobId) => ({ jobId, kind: 'CANCEL_CHILDREN' }))),
    change({ by: 'jobs', namespace: 'default', jobIds: locked.slice(0, 2) }, (run) => decideFinish(run, failed)),
  ]);
}

const pages = (): RetryPage[] => [retryPage({ nextItem: 1 }), retryPage({ fromItem: 1, nextItem: 2 })];

const operations: Record<string, Operation<BatchRows>> = {
  'add members to batches': (store, isReversed, { batchIds, laneIds }) =>
    store.submit(
      turned(batchIds, isReversed).map((batchJobId) =>
        makeCall(
          turned(laneIds, isReversed).map((laneId) => makeJob(laneId)),
          { batchJobId },
        ),
      ),
    ),
  'seal batches': async ({ batches }, isReversed, { batchIds }) => {
    for (const jobId of turned(batchIds, isReversed))
      await batches.seal(jobId, { auditId: newJobId(), namespace: 'default' });
  },
  'advance batches': (store, isReversed, { batchIds, retryIds }) =>
    store.together((inner) => advance(inner, turned([...batchIds, ...retryIds], isReversed))),
  'retry batches': async (store, isReversed, { batchIds, laneId }) => {
    for (const batchJobId of turned(batchIds, isReversed))
      await store.together(async (inner) => {
        if ((await inner.batches.lockRetried(batchJobId)) !== undefined) return;
        const { jobId, ...job } = makeJob(laneId, { state: 'WAITING', retryOf: batchJobId });
        await inner.submit([makeCall([{ ...job, jobId }])]);
        await inner.batches.insert(jobId, plain);
        const record = { namespace: 'default', auditId: newJobId(), reason: 'again' };
        await inner.batches.insertRetry({ ...record, jobId, retry: newRetry(batchJobId, 3, 2) });
      });
  },
  'fill batches that retry others': async (store, isReversed, { retryIds, laneId }) => {
    const [first, second] = pages() as [RetryPage, RetryPage];
    for (const batchJobId of turned(retryIds, isReversed)) {
      await store.submit([makeCall([makeJob(laneId)], { batchJobId, retryPage: first })]);
      await store.batches.delayRetry(batchJobId, isReversed ? 'a' : 'b');
      await store.batches.storePage(batchJobId, second);
      await store.batches.endRetry(batchJobId, { ...newRetry(batchJobId, 2, 2), skippedByReason: {} });
    }
  },
  'end batches': (store, isReversed, { batchIds, retryIds, jobIds }) =>
    store.change(
      { by: 'jobs', namespace: 'default', jobIds: turned([...batchIds, ...retryIds, ...jobIds], isReversed) },
      (run) => decideFinish(run, failed),
    ),
};

async function makeRows(
  context: StoreContext,
  { laneId }: LockedRows,
): Promise<BatchRows & { readonly reset: string }> {
  const batchIds = [await makeBatch(context), await makeBatch(context), await makeBatch(context)];
  const retried = await submitMany(context, laneId, 3);
  const retryIds = await Promise.all(retried.map((jobId) => makeRetry(context, jobId, 2, 2)));
  const jobIds = [...batchIds, ...retryIds];
  const reset = `${openAgain(jobIds.map((jobId) => ({ jobId, laneId, state: 7 })))}
DELETE FROM batches WHERE job_id NOT IN (${quoted(jobIds)});
UPDATE batches SET members = 0, seal_time = NULL, stop_reason = 0, retry_wait_message = NULL,
                   retry_next_item = CASE WHEN retry_of IS NOT NULL THEN 0 END;
INSERT INTO job_inbox (subject_id, kind, entry_time) SELECT job_id, 7, muster_now() FROM batches;`;
  return { batchIds, retryIds, reset };
}

export const batchLocks = groupOf(operations, makeRows);
