/** The jobs of the workflow, as they were in the end, and of them the one whose trace has most to tell. */
import { type Client, type Job, JobState } from '@muster/sdk';

const MAX_PER_PAGE = 1_000;

/** Of all its steps, down to those of the workflows in it. */
export async function readJobs(client: Client, signal: AbortSignal): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const job of client.list({}, { signal, pageSize: MAX_PER_PAGE })) jobs.push(job);
  return jobs;
}

/** Those that were tried more than once, with all of their attempts. */
export function readRetried(client: Client, jobs: readonly Job[], signal: AbortSignal): Promise<Job[]> {
  const retried = jobs.filter(({ attempt }) => attempt > 1);
  return Promise.all(retried.map((job) => client.get(job, { signal })));
}

/** The chunk that was tried most often, the first of several. */
export function mostTried(jobs: readonly Job[]): string {
  const chunks = jobs.filter(({ definition, state }) => definition === 'count-delays' && state === JobState.SUCCEEDED);
  const [first, ...others] = chunks;
  if (!first) throw new Error('nothing has been counted');
  return others.reduce((most, job) => (job.attempt >= most.attempt ? job : most), first).jobId;
}
