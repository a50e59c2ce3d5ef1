/** Jobs that keep to the worker of an earlier one: which worker that was. */

import { jobNotFound } from './cancels.ts';
import { EngineError } from './errors.ts';
import type { JobView } from './job-views.ts';
import type { Submission } from './submissions.ts';

type ReadJob = (namespace: string, jobId: string) => Promise<JobView | undefined>;

/**
 * The submissions with the names of the workers that they keep to. Throws JOB_NOT_FOUND, and JOB_NOT_ASSIGNED where no worker
 * was given the job; a job that keeps to it softly then runs anywhere.
 */
export async function withWorkers(
  readJob: ReadJob,
  namespace: string,
  submissions: readonly Submission[],
  pathOf: (index: number) => string,
): Promise<readonly Submission[]> {
  if (!submissions.some(({ sticky }) => sticky)) return submissions;
  const workers = new Map<string, string | undefined>();
  const found: Submission[] = [];
  for (const [index, submission] of submissions.entries()) {
    const { sticky } = submission;
    if (!sticky) {
      found.push(submission);
      continue;
    }
    const field = `${pathOf(index)}.sticky.job_id`;
    if (!workers.has(sticky.jobId)) workers.set(sticky.jobId, await workerOf(readJob, namespace, sticky.jobId, field));
    const worker = workers.get(sticky.jobId);
    if (worker === undefined && sticky.mode === 'HARD') throw notAssigned(sticky.jobId, field);
    found.push(worker === undefined ? submission : { ...submission, keepTo: { worker, mode: sticky.mode } });
  }
  return found;
}

async function workerOf(
  readJob: ReadJob,
  namespace: string,
  jobId: string,
  field: string,
): Promise<string | undefined> {
  const job = await readJob(namespace, jobId);
  if (!job) throw jobNotFound(namespace, jobId, field);
  return job.attempts.at(-1)?.workerName || undefined;
}

function notAssigned(jobId: string, field: string): EngineError {
  const message = `no worker is known that was given job ${jobId}: submit the job once it is assigned, or keep to it softly`;
  return new EngineError('JOB_NOT_ASSIGNED', message, { field, metadata: { job_id: jobId } });
}
