/** Calls for all jobs that a filter selects. */
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import { JobService } from '../../gen/muster/v1/job_service_pb.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions } from '../../options/known-options.ts';
import type { CallOptions, OpenChannel } from '../../transport/channel.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import { AdminClient } from '../admin-client.ts';
import type { ClientOptions, RequestOptions } from '../calls.ts';
import { requestOptions } from '../calls.ts';
import type { JobFilter } from './job-filter.ts';
import { jobFilter } from './job-filter.ts';
import type { Redriven } from './job-pages.ts';
import { allJobs, countPages, retryPages } from './job-pages.ts';
import type { PauseOptions } from './pause.ts';
import { pauseFields, pauseOptions } from './pause.ts';

interface Selecting {
  readonly validateOnly?: boolean;
}

interface Reasoned {
  readonly reason?: string;
}

const selecting: Known<RequestOptions & Selecting> = { ...requestOptions, validateOnly: true };
const cancelling: Known<RequestOptions & Selecting & Reasoned> = { ...selecting, reason: true };
const pausing: Known<PauseOptions & Selecting & Reasoned> = { ...cancelling, ...pauseOptions };
const listing: Known<RequestOptions & { pageSize?: number }> = { ...requestOptions, pageSize: true };

export class FilterClient extends AdminClient {
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#jobs = unaryClient(this.calls.channel, JobService);
  }

  /**
   * Cancels all open jobs that match, page by page. Returns the number of jobs that were cancelled or asked to stop.
   *
   * @param options `validateOnly` only counts the jobs; `reason` is shown to operators, at most 256 characters.
   */
  async cancelJobs(filter: JobFilter, options: RequestOptions & Selecting & Reasoned = {}): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter('cancelJobs', filter), reason, validateOnly };
    return countPages(async (pageToken) => {
      const send = (call: CallOptions) => this.#jobs.cancelJobs({ ...request, pageToken }, call);
      const page = await this.calls.make('cancelJobs', options, send, cancelling);
      return [page.cancelledCount, page.nextPageToken];
    });
  }

  /**
   * Pauses all open jobs that match, page by page. Returns the number of jobs that were paused or asked to stop. Jobs
   * that come later are not paused; `pauseQueue` holds those too.
   *
   * @param options As in `pause`; `reason` is shown to operators, at most 256 characters; `validateOnly` only counts the
   *   jobs.
   */
  async pauseJobs(filter: JobFilter, options: PauseOptions & Selecting & Reasoned = {}): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const { namespace } = this.calls;
    const request = {
      namespace,
      filter: jobFilter('pauseJobs', filter),
      reason,
      validateOnly,
      ...pauseFields(options),
    };
    return countPages(async (pageToken) => {
      const send = (call: CallOptions) => this.#jobs.pauseJobs({ ...request, pageToken }, call);
      const page = await this.calls.make('pauseJobs', options, send, pausing);
      return [page.pausedCount, page.nextPageToken];
    });
  }

  /**
   * Resumes all paused jobs that match, page by page, and lets run on those that were only asked to stop. Returns their
   * number. Jobs that are paused with their workflow or batch are left to that.
   *
   * @param options `validateOnly` only counts the jobs that are PAUSED.
   */
  async resumeJobs(filter: JobFilter, options: RequestOptions & Selecting = {}): Promise<number> {
    const { validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter('resumeJobs', filter), validateOnly };
    return countPages(async (pageToken) => {
      const send = (call: CallOptions) => this.#jobs.resumeJobs({ ...request, pageToken }, call);
      const page = await this.calls.make('resumeJobs', options, send, selecting);
      return [page.resumedCount, page.nextPageToken];
    });
  }

  /**
   * Retries all matching jobs that were not retried before, page by page, as new jobs. Without `states` in the filter
   * it retries FAILED and EXPIRED jobs. An interrupted redrive can be started again: it retries no job twice.
   *
   * @param options `validateOnly` only counts the jobs.
   */
  async redrive(filter: JobFilter, options: RequestOptions & Selecting = {}): Promise<Redriven> {
    const { validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter('redrive', filter), validateOnly };
    return retryPages(
      (page) => this.calls.make('redrive', options, (call) => this.#jobs.retryJobs(page, call), selecting),
      request,
    );
  }

  /**
   * Yields all jobs that match, newest first, without inputs and results. Pages are fetched as the loop proceeds.
   * Without conditions it yields every job of the namespace.
   *
   * @param options `pageSize`: jobs fetched per call, at most 1,000. Default: 50.
   */
  list(filter: JobFilter = {}, options: RequestOptions & { pageSize?: number } = {}): AsyncGenerator<Job, void> {
    const { pageSize = 0 } = options;
    refuseUnknownOptions('list', options, listing);
    const request = { namespace: this.calls.namespace, filter: jobFilter('list', filter), pageSize };
    return allJobs(
      (page) => this.calls.make('list', options, (call) => this.#jobs.listJobs(page, call), listing),
      request,
    );
  }
}
