/** The ended jobs of the workflow, and the job with the most interesting trace. */
import { type Client, type Job, JobState } from '@muster-jobs/sdk';

const MAX_PER_PAGE = 1_000;

/** The jobs of all steps, including those of nested workflows. */
export async function readJobs(client: Client, signal: AbortSignal): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const job of client.list({}, { signal, pageSize: MAX_PER_PAGE })) jobs.push(job);
  return jobs;
}

/** Jobs with more than one attempt, with all of their attempts. */
export function readRetried(client: Client, jobs: readonly Job[], signal: AbortSignal): Promise<Job[]> {
  const retried = jobs.filter(({ attempt }) => attempt > 1);
  return Promise.all(retried.map((job) => client.get(job, { signal })));
}

/** The chunk with the most attempts; the first of several. */
export function mostTried(jobs: readonly Job[]): string {
  const chunks = jobs.filter(({ definition, state }) => definition === 'count-delays' && state === JobState.SUCCEEDED);
  const [first, ...others] = chunks;
  if (!first) throw new Error('nothing has been counted');
  return others.reduce((most, job) => (job.attempt >= most.attempt ? job : most), first).jobId;
}
