/** Whole lives of jobs on a store at full speed: submit, claim, complete, in batches. */
import type { StoreContext } from './store-context.ts';
import {
  claimOf,
  completionOf,
  jobsOf,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  openWorker,
  payload,
  submitMany,
} from './store-fixtures.ts';

const BATCH = 1_000;
const input = payload('x'.repeat(100));

/** Runs the given number of jobs, two batches at once, and reports after each batch how many have ended. */
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
      const claimed = await jobsOf(context.store.claim(claimOf([laneId], sessionId, BATCH)));
      const done = await context.store.complete(claimed.map((job) => completionOf(job)));
      ended += done.length;
      await onEnded(ended);
    }
  };
  await Promise.all([chain(), chain()]);
}

/** 20,000 jobs in 50 lanes, 500 sessions; a quarter leased, a quarter ended, some due. */
export async function fillTables(context: StoreContext): Promise<void> {
  const lanes = await Promise.all(Array.from({ length: 50 }, () => makeLane(context)));
  const sessions = await Promise.all(Array.from({ length: 500 }, () => openWorker(context)));
  for (const laneId of lanes) await submitMany(context, laneId, 400);
  for (const [i, laneId] of lanes.entries()) {
    const claimed = await jobsOf(context.store.claim(claimOf([laneId], sessions[i * 7]?.sessionId as string, 200)));
    await context.store.complete(claimed.slice(0, 100).map((job) => completionOf(job)));
    await context.store.observe(claimed.slice(100, 150), 0);
  }
}
