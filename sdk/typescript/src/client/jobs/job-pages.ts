/** Pages through the calls that act on all jobs of a filter. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import type {
  ListJobsRequestSchema,
  ListJobsResponse,
  RetryJobsRequestSchema,
  RetryJobsResponse,
} from '../../gen/muster/v1/job_service_pb.ts';

/** Result of a redrive. */
export interface Redriven {
  /** The jobs that were retried; with `validateOnly`, the jobs that would be. */
  readonly retriedJobIds: readonly string[];
  /** The new jobs, in the order of `retriedJobIds`. Empty with `validateOnly`. */
  readonly jobIds: readonly string[];
  /** Number of jobs that were skipped: retried before, erased, or of an archived definition. */
  readonly skippedCount: number;
}

/** Calls for all pages. Returns the sum of their counts. */
export async function countPages(
  call: (pageToken: string) => Promise<readonly [count: number, nextPageToken: string]>,
): Promise<number> {
  let sum = 0;
  for (let pageToken = ''; ; ) {
    const [count, nextPageToken] = await call(pageToken);
    sum += count;
    pageToken = nextPageToken;
    if (pageToken === '') return sum;
  }
}

export async function retryPages(
  call: (request: MessageInitShape<typeof RetryJobsRequestSchema>) => Promise<RetryJobsResponse>,
  request: MessageInitShape<typeof RetryJobsRequestSchema>,
): Promise<Redriven> {
  const jobIds: string[] = [];
  const retriedJobIds: string[] = [];
  let skippedCount = 0;
  for (let pageToken = ''; ; ) {
    const page = await call({ ...request, pageToken });
    jobIds.push(...page.jobIds);
    retriedJobIds.push(...page.retriedJobIds);
    skippedCount += page.skippedCount;
    pageToken = page.nextPageToken;
    if (pageToken === '') return { jobIds, retriedJobIds, skippedCount };
  }
}

/** Yields the jobs of all pages. A page may be empty although another one follows. */
export async function* allJobs(
  call: (request: MessageInitShape<typeof ListJobsRequestSchema>) => Promise<ListJobsResponse>,
  request: MessageInitShape<typeof ListJobsRequestSchema>,
): AsyncGenerator<Job, void> {
  for (let pageToken = ''; ; ) {
    const page = await call({ ...request, pageToken });
    yield* page.jobs;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
