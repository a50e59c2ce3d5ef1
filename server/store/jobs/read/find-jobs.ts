/** Which jobs exist, which have ended, and their revisions. */
import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';

// One look-up per id: an ANY may be read from any index that holds the ids, from one end to the other.
const findMany = {
  name: 'find_jobs',
  text: `
SELECT i.job_id FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j`,
  row: { job_id: 'uuid' },
} satisfies Statement;
const findEndedMany = {
  name: 'find_ended_jobs',
  text: 'SELECT job_id FROM job_outcomes WHERE job_id = ANY($1::uuid[])',
  row: { job_id: 'uuid' },
} satisfies Statement;

const readRevisionsOfMany = {
  name: 'read_revisions',
  text: `
SELECT i.job_id, coalesce(r.revision, o.revision) AS revision
FROM unnest($1::uuid[]) AS i (job_id)
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
LEFT JOIN LATERAL (
  SELECT revision FROM job_outcomes WHERE r.job_id IS NULL AND job_outcomes.job_id = i.job_id OFFSET 0
) AS o ON true`,
  row: { job_id: 'uuid', revision: 'int4?' },
} satisfies Statement;

export async function findJobs(session: Session, jobIds: readonly string[]): Promise<string[]> {
  return (await session.run(findMany, [jobIds])).map((row) => row.job_id);
}

export async function findEnded(session: Session, jobIds: readonly string[]): Promise<string[]> {
  return (await session.run(findEndedMany, [jobIds])).map((row) => row.job_id);
}

/** In the order of the ids; undefined for a missing job. */
export async function readRevisions(session: Session, jobIds: readonly string[]): Promise<(number | undefined)[]> {
  const rows = await session.run(readRevisionsOfMany, [jobIds]);
  const revisions = new Map(rows.map((row) => [row.job_id, row.revision ?? undefined]));
  return jobIds.map((jobId) => revisions.get(jobId));
}
