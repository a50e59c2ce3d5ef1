/** Soft deadlines that have passed, of open jobs and of ended ones. */
import { FAR_US } from '../far.ts';
import { groupOf, type Operation, quoted } from './locked-rows.ts';

const operations: Record<string, Operation> = {
  'close passed deadlines': (store) =>
    store.together(async (inner) => {
      const { missed } = await inner.closePassedDeadlines(100, FAR_US);
      const jobIds = missed.map(({ jobId }) => jobId);
      await inner.change({ by: 'jobs', namespace: 'default', jobIds }, () => undefined);
    }),
};

export const deadlineLocks = groupOf(operations, async (_context, { jobIds }) => ({
  reset: `DELETE FROM soft_deadlines;
    INSERT INTO soft_deadlines (job_id, time, reaction, priority)
    SELECT job_id, muster_now() - interval '1 minute', 1, 0 FROM jobs WHERE job_id IN (${quoted(jobIds)});`,
}));
