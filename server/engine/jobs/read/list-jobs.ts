/** Pages of jobs by a filter, newest first, at a bounded cost whatever the tables hold. */
import { idBounds, statesOf } from '../../../domain/jobs/job-filter.ts';
import type { JobState } from '../../../domain/jobs/job-state.ts';
import type { JobPage, JobQuery, JobScan, JobView } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';
import { completeViews } from './read-jobs.ts';

/** Max bytes of labels and failures per page. The rest of the page also has to fit into the limit of a message. */
const PAGE_BYTES = 2 << 20;

/**
 * Scans a little more than the page holds, then ten times as much each time, until the page is full or the source ends.
 */
export async function listJobs(store: Store, query: JobQuery): Promise<JobPage> {
  const states = statesOf(query.filter);
  if (states.length === 0) return { jobs: [], nextBeforeJobId: undefined };
  const [lowestId, highestId] = idBounds(query.filter);
  const plan = { query, states, lowestId, ...(await sourceOf(store, query, states)) };
  const jobs: JobView[] = [];
  let beforeId = query.beforeJobId && query.beforeJobId < highestId ? query.beforeJobId : highestId;
  let [bytes, left, records] = [PAGE_BYTES, query.scanLimit, query.limit + 1];
  for (;;) {
    const space = { jobs: query.limit - jobs.length, bytes, records: Math.min(records, left) };
    const found = await store.scanJobs({ ...plan, ...space, beforeId });
    jobs.push(...(await completeViews(store, found.jobs)));
    if (found.cut) return { jobs, nextBeforeJobId: jobs.at(-1)?.jobId };
    bytes -= found.bytes;
    left -= found.scanned;
    records *= 10;
    const full = jobs.length >= query.limit || bytes <= 0 || left <= 0;
    if (full || found.resumeId === undefined) return { jobs, nextBeforeJobId: found.resumeId };
    beforeId = found.resumeId;
  }
}

type Source = Pick<JobScan, 'source' | 'laneIds'>;

async function sourceOf(store: Store, query: JobQuery, states: readonly JobState[]): Promise<Source> {
  if (query.filter.softDeadlineMissed) return { source: 'by_deadline', laneIds: [] };
  if (query.filter.parentJobId) return { source: 'by_parent', laneIds: [] };
  if (!states.includes('SUCCEEDED')) return { source: 'by_state', laneIds: [] };
  const laneIds = await store.findListedLanes(query);
  return laneIds ? { source: 'by_lane', laneIds } : { source: 'of_all', laneIds: [] };
}
