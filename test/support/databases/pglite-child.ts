/**
 * A process that works on an embedded database until it is killed, and reports acknowledged jobs to its parent.
 *
 * Arguments: the folder; `open` to open it and end. Messages: `{ submitted, completed }`, lists of job ids.
 */

import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { createStore } from '../store/create-store.ts';
import type { StoreContext } from '../store/store-context.ts';
import { claimOf, completionOf, jobsOf, makeCall, makeJob, makeLane, openWorker } from '../store/store-fixtures.ts';

const [dataDir = '', what = 'work'] = process.argv.slice(2);
// Frequent, so that a kill at any time may hit a VACUUM or a checkpoint.
const maintenance = { vacuumJobs: 200, vacuumShare: 1, checkpointBytes: 1 << 20 };
const database: Database = await openPglite({ dataDir, maintenance });
await migrate(database);

async function work(context: StoreContext): Promise<never> {
  await context.store.ensurePartitions();
  const laneId = await makeLane(context);
  const { sessionId } = await openWorker(context);
  for (;;) {
    const jobs = Array.from({ length: 50 }, () => makeJob(laneId));
    await context.store.submit([makeCall(jobs)]);
    process.send?.({ submitted: jobs.map((job) => job.jobId), completed: [] });
    const claimed = await jobsOf(context.store.claim(claimOf([laneId], sessionId, 40)));
    const done = await context.store.complete(claimed.map((job) => completionOf(job)));
    process.send?.({ submitted: [], completed: done.map((key) => key.jobId) });
  }
}

if (what === 'open') {
  await database.close();
  process.disconnect?.();
} else {
  await work({ kind: 'PGlite', database, store: createStore(database) } as StoreContext);
}
