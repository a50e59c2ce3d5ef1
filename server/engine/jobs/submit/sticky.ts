/** Looks up the workers of earlier jobs that new ones are sticky to. */

import { EngineError } from '../../base/errors.ts';
import type { Store } from '../../ports/store.ts';
import type { Submission } from '../../ports/submissions.ts';
import { jobNotFound } from '../change/cancels.ts';

type Workers = ReadonlyMap<string, string | undefined>;

/** Max jobs per read: a call may name as many jobs as it submits. */
const JOBS_PER_READ = 1_000;

/**
 * Adds the names of the workers that the submissions are sticky to. Throws JOB_NOT_FOUND, and JOB_NOT_ASSIGNED if no
 * worker got the earlier job and the mode is HARD; with SOFT the new job then runs anywhere.
 */
export async function withWorkers(
  store: Pick<Store, 'readLastWorkers'>,
  namespace: string,
  submissions: readonly Submission[],
  pathOf: (index: number) => string,
): Promise<readonly Submission[]> {
  const jobIds = [...new Set(submissions.flatMap(({ sticky }) => sticky?.jobId ?? []))];
  if (jobIds.length === 0) return submissions;
  const workers = await readWorkers(store, namespace, jobIds);
  return submissions.map((submission, index) => {
    const { sticky } = submission;
    if (!sticky) return submission;
    const field = `${pathOf(index)}.sticky.job_id`;
    if (!workers.has(sticky.jobId)) throw jobNotFound(namespace, sticky.jobId, field);
    const worker = workers.get(sticky.jobId);
    if (worker === undefined && sticky.mode === 'HARD') throw notAssigned(sticky.jobId, field);
    return worker === undefined ? submission : { ...submission, keepTo: { worker, mode: sticky.mode } };
  });
}

async function readWorkers(
  store: Pick<Store, 'readLastWorkers'>,
  namespace: string,
  jobIds: readonly string[],
): Promise<Workers> {
  const workers = new Map<string, string | undefined>();
  for (let at = 0; at < jobIds.length; at += JOBS_PER_READ) {
    const found = await store.readLastWorkers(namespace, jobIds.slice(at, at + JOBS_PER_READ));
    for (const [jobId, worker] of found) workers.set(jobId, worker);
  }
  return workers;
}

function notAssigned(jobId: string, field: string): EngineError {
  const message = `no worker is known that was given job ${jobId}: submit once that job is assigned, or use the mode SOFT`;
  return new EngineError('JOB_NOT_ASSIGNED', message, { field, metadata: { job_id: jobId } });
}
