/** Batches for store tests, and one call of each of their statements. */
import { newBatch } from '../../../server/domain/batches/batch.ts';
import { newRetry, type RetryPage } from '../../../server/domain/batches/batch-retry.ts';
import type { BatchSpec, FillingBatch } from '../../../server/engine/ports/batches.ts';
import type { NewJob, SubmitResult } from '../../../server/engine/ports/submissions.ts';
import type { StoreContext } from './store-context.ts';
import { makeCall, makeJob, makeLane, newJobId, payload } from './store-fixtures.ts';

export const plain: BatchSpec = { description: '', policy: 'NONE', callback: undefined };

export const callback = {
  definition: 'after',
  definitionVersion: 0,
  queue: '',
  input: { ...payload('{}'), metadata: { a: 'b' } },
  labels: { of: 'batch' },
};

/** An open batch without members. Returns the id of its job. */
export async function makeBatch(
  context: StoreContext,
  spec: BatchSpec = plain,
  changes: Partial<NewJob> = {},
): Promise<string> {
  const job = makeJob(await makeLane(context), { state: 'WAITING', ...changes });
  await context.store.together(async (store) => {
    await store.submit([makeCall([job])]);
    await store.batches.insert(job.jobId, spec);
  });
  return job.jobId;
}

/** A batch that retries another one with the given numbers of members and failed members. Returns the id of its job. */
export async function makeRetry(
  context: StoreContext,
  batchJobId: string,
  members: number,
  failed: number,
): Promise<string> {
  const job = makeJob(await makeLane(context), { state: 'WAITING', retryOf: batchJobId });
  const { jobId } = job;
  const retry = newRetry(batchJobId, members, failed);
  await context.store.together(async (store) => {
    await store.submit([makeCall([job])]);
    await store.batches.insert(jobId, plain);
    await store.batches.insertRetry({ jobId, namespace: 'default', retry, auditId: newJobId(), reason: 'again' });
  });
  return jobId;
}

export function retryPage(changes: Partial<RetryPage> = {}): RetryPage {
  return { fromItem: 0, nextItem: 0, retriedBeforeCount: 0, skippedByReason: {}, ...changes };
}

export async function addMembers(
  context: StoreContext,
  batchJobId: string,
  count: number,
  laneId?: number,
): Promise<SubmitResult> {
  const lane = laneId ?? (await makeLane(context));
  const jobs = Array.from({ length: count }, (_, rank) => makeJob(lane, { rank }));
  return (await context.store.submit([{ ...makeCall(jobs), batchJobId }]))[0] as SubmitResult;
}

export async function useBatches(context: StoreContext): Promise<void> {
  const { store } = context;
  const jobId = await makeBatch(context, { description: 'all', policy: 3, callback });
  await addMembers(context, jobId, 2);
  await store.batches.seal(jobId, { auditId: crypto.randomUUID(), namespace: 'default' });
  await store.together(async ({ batches }) => {
    await batches.read(jobId);
    await batches.stopFor(jobId, 'FAILED');
    await batches.write([{ jobId, progress: newBatch, callback: { problem: 'none' } }]);
  });
  const retryJobId = await makeRetry(context, jobId, 2, 2);
  await store.batches.lockRetried(jobId);
  const { retry } = (await store.batches.readFilling(retryJobId)) as FillingBatch;
  await store.batches.readFailed(retry);
  await store.batches.delayRetry(retryJobId, 'room');
  await store.batches.storePage(retryJobId, retryPage({ nextItem: 2 }));
  await store.batches.findFilling(0, 1);
  await store.batches.endRetry(retryJobId, retry);
}
