/** Submits jobs to Muster and follows them. */
import { randomUUID } from 'node:crypto';
import type { ListAssetsResponse } from '../gen/muster/v1/asset_service_pb.ts';
import { AssetService } from '../gen/muster/v1/asset_service_pb.ts';
import type { JobExplanation } from '../gen/muster/v1/job_explanation_pb.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Submitting } from '../tracing/submit-span.ts';
import { inSubmitSpan } from '../tracing/submit-span.ts';
import type { CallOptions, UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import { AdminClient } from './admin-client.ts';
import type { LogOptions, LogsRequest } from './attempt-logs.ts';
import { followLogs, listLogs } from './attempt-logs.ts';
import type { BatchInit } from './batches/batch.ts';
import { BatchHandle } from './batches/batch.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { DependencyInit } from './dependency.ts';
import { dependency } from './dependency.ts';
import type { EventOptions, EventPage } from './event-watch.ts';
import { watchEvents } from './event-watch.ts';
import type { JobChange } from './jobs/job-change.ts';
import { jobChange } from './jobs/job-change.ts';
import type { JobFilter } from './jobs/job-filter.ts';
import { jobFilter } from './jobs/job-filter.ts';
import type { Redriven } from './jobs/job-pages.ts';
import { allJobs, countPages, retryPages } from './jobs/job-pages.ts';
import type { JobRef } from './jobs/job-ref.ts';
import { idOf } from './jobs/job-ref.ts';
import type { WaitOptions } from './jobs/job-wait.ts';
import { jobResult, waitForEnd } from './jobs/job-wait.ts';
import { watchJob } from './jobs/job-watch.ts';
import type { PauseOptions } from './jobs/pause.ts';
import { type CancelOptions, graceField, pauseFields, pauseRequest } from './jobs/pause.ts';
import type { JobOptions, JobRequest, MemberOptions, SubmittedJob } from './jobs/submission.ts';
import { jobSubmission } from './jobs/submission.ts';

/** Options for retrying an ended job. */
export interface RetryOptions extends RequestOptions {
  /** Names of steps that the new workflow skips. At most 100, without duplicates. Default: none. */
  readonly skipSteps?: readonly string[];
  /** Reason, shown to operators. At most 1,024 characters. */
  readonly reason?: string;
}

/**
 * A connection to Muster. Every method fails with a `MusterError`. Calls that fail with UNAVAILABLE are retried a
 * bounded number of times under one request id, so a retried submission gives one job.
 */
export class Client extends AdminClient {
  readonly #assets: UnaryClient<(typeof AssetService)['method']>;
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    this.#assets = unaryClient(this.calls.channel, AssetService);
    this.#jobs = unaryClient(this.calls.channel, JobService);
  }

  /**
   * Submits a job. The job is committed when the call returns.
   *
   * @param input Any JSON value, a `Uint8Array` (application/octet-stream), a `Payload`, or nothing.
   */
  async submit(
    definition: string,
    input?: unknown,
    options: JobOptions & RequestOptions & MemberOptions = {},
  ): Promise<SubmittedJob> {
    const { timeoutMs: _timeoutMs, signal: _signal, requestId = randomUUID(), batch = '', ...job } = options;
    const { namespace } = this.calls;
    const request = { namespace, job: jobSubmission(definition, input, job), requestId, batchJobId: idOf(batch) };
    const [submitted] = await inSubmitSpan(this.#submitting([definition]), async (metadata) => [
      await this.#call(options, (call) => this.#jobs.submitJob(request, { ...call, metadata })),
    ]);
    const { jobId, existing } = present(submitted, 'job');
    return { jobId, existing };
  }

  /** Submits at most 10,000 jobs of 3 MiB in total, all or none. Returns them in the same order. */
  async submitMany(jobs: readonly JobRequest[], options: RequestOptions & MemberOptions = {}): Promise<SubmittedJob[]> {
    const request = {
      namespace: this.calls.namespace,
      jobs: jobs.map(({ definition, input, ...job }) => jobSubmission(definition, input, job)),
      requestId: options.requestId ?? randomUUID(),
      batchJobId: idOf(options.batch ?? ''),
    };
    const submitting = this.#submitting(jobs.map(({ definition }) => definition));
    const submitted = await inSubmitSpan(submitting, async (metadata) => {
      const response = await this.#call(options, (call) => this.#jobs.submitJobs(request, { ...call, metadata }));
      return response.jobs;
    });
    return submitted.map(({ jobId, existing }) => ({ jobId, existing }));
  }

  /**
   * Makes an open batch without members. The jobs of a batch are submitted and followed as one.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) for the callback's definition.
   */
  async createBatch(init: BatchInit = {}, options: RequestOptions = {}): Promise<BatchHandle> {
    return this.batch(present((await this.makeBatch(init, options)).job, 'job'));
  }

  /** The handle of an existing batch, by its job's id. Makes no call. */
  batch(batch: JobRef): BatchHandle {
    return new BatchHandle(this, idOf(batch));
  }

  /** Reads the current state of a job. */
  async get(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const response = await this.#call(options, (call) => this.#jobs.getJob(this.#target(job), call));
    return present(response.job, 'job');
  }

  /**
   * Explains the state of a job. Before its start: what blocks it, who holds that and when it is released, its position
   * in the queue, and an estimate of its start. Later: which worker has it, or how it ended. `summary` says all of it
   * in sentences.
   *
   * @throws MusterError NOT_FOUND when there is no such job.
   */
  async explain(job: JobRef, options: RequestOptions = {}): Promise<JobExplanation> {
    const response = await this.#call(options, (call) => this.#jobs.explainJob(this.#target(job), call));
    return present(response.explanation, 'explanation');
  }

  /**
   * Waits until the job has ended or `timeoutMs` expires, and returns the job as it is then. A handler that waits keeps
   * its slot meanwhile; `ctx.wait` releases it.
   */
  wait(job: JobRef, options: WaitOptions = {}): Promise<Job> {
    return waitForEnd(this.#jobs, this.calls.retry, this.#target(job), options);
  }

  /**
   * Waits for the job's end and returns the result of its handler.
   *
   * @throws JobFailedError when it ended without a result.
   * @throws MusterError DEADLINE_EXCEEDED (WAIT_TIMEOUT) when `timeoutMs` expires first.
   */
  async result<T = unknown>(job: JobRef, options: WaitOptions = {}): Promise<T> {
    return jobResult(await this.wait(job, options)) as T;
  }

  /**
   * Cancels a job and returns it as it is then: CANCELLED, or CANCELLING until its handler returns. It is
   * SUCCEEDED if the handler has returned a result meanwhile.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   */
  async cancel(job: JobRef, reason = '', options: CancelOptions = {}): Promise<Job> {
    const { requestId = randomUUID(), graceMs } = options;
    const request = { ...this.#target(job), reason, requestId, ...graceField(graceMs) };
    const response = await this.#call(options, (call) => this.#jobs.cancelJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Pauses a job and returns it as it is then: PAUSED, or, with `running`, still RUNNING until its handler has stopped.
   * Its expiry time stays in force.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_WAITING: it runs, and `running` is not set).
   */
  async pause(job: JobRef, reason = '', options: PauseOptions = {}): Promise<Job> {
    const request = pauseRequest(this.#target(job), reason, { requestId: randomUUID(), ...options });
    const response = await this.#call(options, (call) => this.#jobs.pauseJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Resumes a paused job: at once, or at its run time if that is still ahead. One that is `exhausted` gets all attempts
   * of its retry policy again.
   */
  async resume(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.resumeJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Ends a job that is PAUSED after a failed attempt: FAILED, with that failure. Returns it.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError FAILED_PRECONDITION (JOB_ENDED; JOB_NOT_FAILED: it is not paused, or its last attempt has not
   *   failed).
   */
  async fail(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.failJob(request, call));
    return present(response.job, 'job');
  }

  /** Changes priority, run time or expiry of a waiting job. Omitted fields stay unchanged. */
  async update(job: JobRef, change: JobChange, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), ...jobChange(change), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.updateJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Adds dependencies to a waiting job and returns it.
   *
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_WAITING, or DEPENDENCY_CYCLE when a dependency waits for this
   *   job).
   */
  async addDependencies(
    job: JobRef,
    dependencies: readonly DependencyInit[],
    options: RequestOptions = {},
  ): Promise<Job> {
    const { requestId = randomUUID() } = options;
    const request = { ...this.#target(job), dependsOn: dependencies.map(dependency), requestId };
    const response = await this.#call(options, (call) => this.#jobs.addDependencies(request, call));
    return present(response.job, 'job');
  }

  /** Lists a page of the published data assets, by name. */
  listAssets(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListAssetsResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.#call(options, (call) => this.#assets.listAssets(request, call));
  }

  /**
   * Submits a copy of an ended job and returns it. Its `retryOf` names the original.
   *
   * @throws MusterError NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED,
   *   DEFINITION_ARCHIVED, NOT_A_WORKFLOW, STEP_NOT_SKIPPABLE); ALREADY_EXISTS (DUPLICATE_JOB).
   */
  async retry(job: JobRef, options: RetryOptions = {}): Promise<Job> {
    const { requestId = randomUUID(), skipSteps = [], reason = '' } = options;
    const request = { ...this.#target(job), requestId, skipSteps: [...skipSteps], reason };
    const response = await this.#call(options, (call) => this.#jobs.retryJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Erases the personal data of an ended job irrevocably and returns the id of the audit record.
   *
   * @param reason Reason, and who demanded it. Between 1 and 256 characters.
   */
  async erase(job: JobRef, reason: string, options: RequestOptions = {}): Promise<string> {
    const request = { ...this.#target(job), reason };
    return (await this.#call(options, (call) => this.#jobs.eraseJob(request, call))).auditId;
  }

  /**
   * Cancels all open jobs that match, page by page. Returns the number of jobs that were cancelled or asked to stop.
   *
   * @param options `validateOnly` only counts the jobs; `reason` is shown to operators, at most 256 characters.
   */
  cancelJobs(
    filter: JobFilter,
    options: RequestOptions & { reason?: string; validateOnly?: boolean } = {},
  ): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), reason, validateOnly };
    return countPages(async (pageToken) => {
      const page = await this.#call(options, (call) => this.#jobs.cancelJobs({ ...request, pageToken }, call));
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
  pauseJobs(
    filter: JobFilter,
    options: PauseOptions & { reason?: string; validateOnly?: boolean } = {},
  ): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const { namespace } = this.calls;
    const request = { namespace, filter: jobFilter(filter), reason, validateOnly, ...pauseFields(options) };
    return countPages(async (pageToken) => {
      const page = await this.#call(options, (call) => this.#jobs.pauseJobs({ ...request, pageToken }, call));
      return [page.pausedCount, page.nextPageToken];
    });
  }

  /**
   * Resumes all paused jobs that match, page by page, and lets run on those that were only asked to stop. Returns their
   * number. Jobs that are paused with their workflow or batch are left to that.
   *
   * @param options `validateOnly` only counts the jobs that are PAUSED.
   */
  resumeJobs(filter: JobFilter, options: RequestOptions & { validateOnly?: boolean } = {}): Promise<number> {
    const { validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), validateOnly };
    return countPages(async (pageToken) => {
      const page = await this.#call(options, (call) => this.#jobs.resumeJobs({ ...request, pageToken }, call));
      return [page.resumedCount, page.nextPageToken];
    });
  }

  /**
   * Retries all matching jobs that were not retried before, page by page, as new jobs. Without `states` in the filter
   * it retries FAILED and EXPIRED jobs. An interrupted redrive can be started again: it retries no job twice.
   *
   * @param options `validateOnly` only counts the jobs.
   */
  redrive(filter: JobFilter, options: RequestOptions & { validateOnly?: boolean } = {}): Promise<Redriven> {
    const { validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), validateOnly };
    return retryPages((page) => this.#call(options, (call) => this.#jobs.retryJobs(page, call)), request);
  }

  /**
   * Yields all jobs that match, newest first, without inputs and results. Pages are fetched as the loop proceeds.
   * Without conditions it yields every job of the namespace.
   *
   * @param options `pageSize`: jobs fetched per call, at most 1,000. Default: 50.
   */
  list(filter: JobFilter = {}, options: RequestOptions & { pageSize?: number } = {}): AsyncGenerator<Job, void> {
    const { pageSize = 0 } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), pageSize };
    return allJobs((page) => this.#call(options, (call) => this.#jobs.listJobs(page, call)), request);
  }

  /**
   * Yields the job as it is now, then after each change, until it has ended. Changes in quick succession are merged
   * into one. A lost connection is reopened; no change is yielded twice.
   *
   * @param options `signal` ends the watch with CANCELLED; leaving the loop ends it, too.
   * @throws MusterError NOT_FOUND; UNAVAILABLE when the control plane stays out of reach.
   */
  watch(job: JobRef, options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Job, void> {
    return watchJob(this.calls, this.#target(job), options.signal);
  }

  /**
   * Yields the events of the namespace's jobs, about 250 ms after they happened. Each state change comes at least once,
   * except changes to ASSIGNED and RUNNING. Duplicates have the same job and revision. A lost connection is reopened
   * after the last position. Events before the first position are missed, unless `after` is given. A program that must
   * not miss any event, also while it is down, stores the position, or reads the stream on NATS.
   *
   * @param options `job`: only events of this job. Leaving the loop ends the watch.
   * @throws MusterError OUT_OF_RANGE (EVENT_POSITION_GONE: the events after the position are no longer kept);
   *   RESOURCE_EXHAUSTED, when there are too many watches; UNAVAILABLE, when the control plane or its bus stays out of
   *   reach.
   */
  watchEvents(options: EventOptions & { readonly job?: JobRef } = {}): AsyncGenerator<EventPage, void> {
    const { job, signal, ...rest } = options;
    const target = job === undefined ? { namespace: this.calls.namespace, jobId: '' } : this.#target(job);
    return watchEvents(this.calls, { ...rest, ...target }, signal);
  }

  /**
   * Yields the log records of the job's handlers: by attempt, and in the order of writing. Muster keeps the newest 64
   * KiB of each attempt; `skipped` of a record is the number of records that are missing before it. Texts are
   * unchanged, control characters included.
   *
   * @throws MusterError NOT_FOUND; with `follow` also RESOURCE_EXHAUSTED, when too many callers follow logs.
   */
  logs(job: JobRef, options: LogOptions = {}): AsyncGenerator<LogRecord, void> {
    const target = { ...this.#target(job), attempt: options.attempt ?? 0 };
    if (options.follow) return followLogs(this.calls, target, options.signal);
    const list = (page: LogsRequest) => this.#call(options, (call) => this.#jobs.listAttemptLogs(page, call));
    return listLogs(list, target, options.pageSize);
  }

  #submitting(definitions: readonly string[]): Submitting {
    return { address: this.calls.address, namespace: this.calls.namespace, definitions };
  }

  #target(job: JobRef): { namespace: string; jobId: string } {
    return { namespace: this.calls.namespace, jobId: idOf(job) };
  }

  #call<T>(options: RequestOptions, call: (options: CallOptions) => Promise<T>): Promise<T> {
    return this.calls.make(options, call);
  }
}
