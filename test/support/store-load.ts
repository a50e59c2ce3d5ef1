/** Whole lives of jobs against a store, as fast as it goes: submit, claim, complete, in batches. */
import type { StoreContext } from './store-context.ts';
import { claimOf, completionOf, makeCall, makeJob, makeLane, newJobId, openWorker, payload } from './store-fixtures.ts';

const BATCH = 1_000;
const input = payload('x'.repeat(100));

/** Runs so many jobs to their end, two batches at once; tells after each batch how many have ended. */
export async function runJobs(
  context: StoreContext,
  jobs: number,
  onEnded: (ended: number) => Promise<void> | void = () => undefined,
  idMs?: number,
): Promise<void> {
  let started = 0;
  let ended = 0;
  const chain = async () => {
    const laneId = await makeLane(context);
    const { sessionId } = await openWorker(context);
    while (started < jobs) {
      started += BATCH;
      await context.store.submit([
        makeCall(Array.from({ length: BATCH }, (_, rank) => makeJob(laneId, { jobId: newJobId(idMs), rank, input }))),
      ]);
      const claimed = await context.store.claim(claimOf([laneId], sessionId, BATCH));
      const done = await context.store.complete(claimed.map((job) => completionOf(job)));
      ended += done.length;
      await onEnded(ended);
    }
  };
  await Promise.all([chain(), chain()]);
}
