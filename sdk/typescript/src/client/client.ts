/** Submits jobs to Muster and follows them. */
import { randomUUID } from 'node:crypto';
import type { JobExplanation } from '../gen/muster/v1/job_explanation_pb.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import type { ListAssetsResponse } from '../gen/muster/v1/job_service_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Submitting } from '../tracing/submit-span.ts';
import { inSubmitSpan } from '../tracing/submit-span.ts';
import type { CallOptions, UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import { AdminClient } from './admin-client.ts';
import type { LogOptions, LogsRequest } from './attempt-logs.ts';
import { followLogs, listLogs } from './attempt-logs.ts';
import type { BatchInit } from './batch.ts';
import { BatchHandle } from './batch.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { DependencyInit } from './dependency.ts';
import { dependency } from './dependency.ts';
import type { EventOptions, EventPage } from './event-watch.ts';
import { watchEvents } from './event-watch.ts';
import type { JobChange } from './job-change.ts';
import { jobChange } from './job-change.ts';
import type { JobFilter } from './job-filter.ts';
import { jobFilter } from './job-filter.ts';
import type { Redriven } from './job-pages.ts';
import { allJobs, cancelPages, retryPages } from './job-pages.ts';
import type { JobRef } from './job-ref.ts';
import { idOf } from './job-ref.ts';
import type { WaitOptions } from './job-wait.ts';
import { jobResult, waitForEnd } from './job-wait.ts';
import { watchJob } from './job-watch.ts';
import type { JobOptions } from './submission.ts';
import { jobSubmission } from './submission.ts';

/** A job as it was accepted. */
export interface SubmittedJob {
  readonly jobId: string;
  /** Whether the job was there already: the idempotency key or the request id was in use. */
  readonly existing: boolean;
}

/** One job of `submitMany`. */
export interface JobRequest extends JobOptions {
  readonly definition: string;
  readonly input?: unknown;
}

/** How an ended job is tried again. */
export interface RetryOptions extends RequestOptions {
  /** Names of steps that the new workflow is not to run. At most 100, each once. Default: none. */
  readonly skipSteps?: readonly string[];
  /** Why, for people. At most 1,024 characters. */
  readonly reason?: string;
}

/** What a submission may say of all of its jobs. */
export interface MemberOptions {
  /** The open batch of which they become members. Default: none. */
  readonly batch?: JobRef;
}

/**
 * A connection to Muster. Every method fails with a `MusterError`; UNAVAILABLE is repeated a bounded number of times
 * under one request id, so that a repeated submission is the same job.
 */
export class Client extends AdminClient {
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    this.#jobs = unaryClient(this.calls.channel, JobService);
  }

  /**
   * Stores a job; when it answers, the job is committed.
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

  /** Stores up to 10,000 jobs of at most 3 MiB together, all or none; answers in their order. */
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
   * Makes an open batch without members: jobs that are submitted and followed as one.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) of the callback.
   */
  async createBatch(init: BatchInit = {}, options: RequestOptions = {}): Promise<BatchHandle> {
    return this.batch(present((await this.makeBatch(init, options)).job, 'job'));
  }

  /** A batch that is there, by its job's id. Asks nothing. */
  batch(batch: JobRef): BatchHandle {
    return new BatchHandle(this, idOf(batch));
  }

  /** Reads a job as it is now. */
  async get(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const response = await this.#call(options, (call) => this.#jobs.getJob(this.#target(job), call));
    return present(response.job, 'job');
  }

  /**
   * Says why a job is where it is: what keeps it from starting, who holds that and when it opens, its place in line, and an
   * estimate of its start; who has it; how it ended. `summary` is all of it in sentences.
   *
   * @throws MusterError NOT_FOUND when there is no such job.
   */
  async explain(job: JobRef, options: RequestOptions = {}): Promise<JobExplanation> {
    const response = await this.#call(options, (call) => this.#jobs.explainJob(this.#target(job), call));
    return present(response.explanation, 'explanation');
  }

  /**
   * Waits until the job has ended or `timeoutMs` is up, and answers the job as it is then. A handler that waits holds its place
   * meanwhile; `ctx.wait` does not.
   *
   * @throws MusterError FAILED_PRECONDITION (DEADLOCK) in a handler that holds what the job needs.
   */
  wait(job: JobRef, options: WaitOptions = {}): Promise<Job> {
    return waitForEnd(this.#jobs, this.calls.retry, this.#target(job), options);
  }

  /**
   * Waits for the job's end and answers what its handler returned.
   *
   * @throws JobFailedError when it ended without a result.
   * @throws MusterError DEADLINE_EXCEEDED when `timeoutMs` is up before.
   */
  async result<T = unknown>(job: JobRef, options: WaitOptions = {}): Promise<T> {
    return jobResult(await this.wait(job, options)) as T;
  }

  /**
   * Asks a job to stop and answers it as it is then: CANCELLED, or CANCELLING while its handler has yet to return.
   *
   * @param reason Why, for people. At most 256 characters.
   */
  async cancel(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.cancelJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Holds a job that waits, and answers it as it is then. Its expiry goes on.
   *
   * @param reason Why, for people. At most 256 characters.
   */
  async pause(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.pauseJob(request, call));
    return present(response.job, 'job');
  }

  /** Lets a paused job go on: at once, or at its run time if that is still to come. */
  async resume(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.resumeJob(request, call));
    return present(response.job, 'job');
  }

  /** Changes priority, run time or expiry of a job that waits; what is left out stays as it is. */
  async update(job: JobRef, change: JobChange, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), ...jobChange(change), requestId: options.requestId ?? randomUUID() };
    const response = await this.#call(options, (call) => this.#jobs.updateJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Makes a job that waits depend on more, and answers it.
   *
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_WAITING; DEPENDENCY_CYCLE: it would wait for what waits for it).
   */
  async addDependencies(
    job: JobRef,
    dependencies: readonly DependencyInit[],
    options: RequestOptions = {},
  ): Promise<Job> {
    const { requestId = randomUUID() } = options;
    const request = { ...this.#target(job), dependencies: dependencies.map(dependency), requestId };
    const response = await this.#call(options, (call) => this.#jobs.addDependencies(request, call));
    return present(response.job, 'job');
  }

  /** Lists a page of the data assets that jobs have published, by name. */
  listAssets(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListAssetsResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.#call(options, (call) => this.#jobs.listAssets(request, call));
  }

  /**
   * Makes a new job like one that has ended, and answers it; its `retryOf` names the old one.
   *
   * @throws MusterError NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED,
   * NOT_A_WORKFLOW, STEP_NOT_SKIPPABLE); ALREADY_EXISTS (DUPLICATE_JOB).
   */
  async retry(job: JobRef, options: RetryOptions = {}): Promise<Job> {
    const { requestId = randomUUID(), skipSteps = [], reason = '' } = options;
    const request = { ...this.#target(job), requestId, skipSteps: [...skipSteps], reason };
    const response = await this.#call(options, (call) => this.#jobs.retryJob(request, call));
    return present(response.job, 'job');
  }

  /**
   * Erases what an ended job holds of a person's data, for good, and answers the id of the audit record.
   *
   * @param reason Why, and on whose demand. Between 1 and 256 characters.
   */
  async erase(job: JobRef, reason: string, options: RequestOptions = {}): Promise<string> {
    const request = { ...this.#target(job), reason };
    return (await this.#call(options, (call) => this.#jobs.eraseJob(request, call))).auditId;
  }

  /**
   * Cancels all open jobs that match, page by page, and answers how many were cancelled or asked to stop.
   *
   * @param options `validateOnly` counts them only; `reason` is for people, at most 256 characters.
   */
  cancelJobs(
    filter: JobFilter,
    options: RequestOptions & { reason?: string; validateOnly?: boolean } = {},
  ): Promise<number> {
    const { reason = '', validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), reason, validateOnly };
    return cancelPages((page) => this.#call(options, (call) => this.#jobs.cancelJobs(page, call)), request);
  }

  /**
   * Retries all jobs that match and were not retried before, page by page, as new jobs. Without `states` in the filter:
   * FAILED and EXPIRED ones. A redrive that broke off may be begun again: no job is retried twice by it.
   *
   * @param options `validateOnly` counts them only.
   */
  redrive(filter: JobFilter, options: RequestOptions & { validateOnly?: boolean } = {}): Promise<Redriven> {
    const { validateOnly = false } = options;
    const request = { namespace: this.calls.namespace, filter: jobFilter(filter), validateOnly };
    return retryPages((page) => this.#call(options, (call) => this.#jobs.retryJobs(page, call)), request);
  }

  /**
   * All jobs that match, newest first, without their inputs and results; pages are fetched as the loop goes on. Without
   * conditions: every job of the namespace.
   *
   * @param options `pageSize`: jobs fetched at once, at most 1,000. Default: 50.
   */
  list(filter: JobFilter = {}, options: RequestOptions & { pageSize?: number } = {}): AsyncGenerator<Job, void> {
    const { pageSize = 0 } = options;
    const request = { namespace: this.calls.namespace, ...jobFilter(filter), pageSize };
    return allJobs((page) => this.#call(options, (call) => this.#jobs.listJobs(page, call)), request);
  }

  /**
   * The job as it is now, then each time it has changed, until it has ended. Changes that follow each other closely are
   * folded into one. A connection that is lost is made anew; no change is told twice.
   *
   * @param options `signal` ends the watch with CANCELLED; leaving the loop ends it, too.
   * @throws MusterError NOT_FOUND; UNAVAILABLE when the control plane stays out of reach.
   */
  watch(job: JobRef, options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Job, void> {
    return watchJob(this.calls, this.#target(job), options.signal);
  }

  /**
   * What happens to the namespace's jobs, about a quarter of a second after it happened: each change of a state at least once,
   * but that jobs become ASSIGNED or RUNNING. A change that comes twice has the same job and revision. A connection that is lost
   * is made anew, after the last position; what happens before there is a first one is missed, unless `after` is given. A
   * program that must not miss anything, also while it is down, keeps the position, or reads the stream on NATS.
   *
   * @param options `job`: only of this one. Leaving the loop ends the watch.
   * @throws MusterError OUT_OF_RANGE (EVENT_POSITION_GONE: what came after the position is not kept any more);
   *   RESOURCE_EXHAUSTED, when too many watch; UNAVAILABLE, when the control plane or its bus stays out of reach.
   */
  watchEvents(options: EventOptions & { readonly job?: JobRef } = {}): AsyncGenerator<EventPage, void> {
    const { job, signal, ...rest } = options;
    const target = job === undefined ? { namespace: this.calls.namespace, jobId: '' } : this.#target(job);
    return watchEvents(this.calls, { ...rest, ...target }, signal);
  }

  /**
   * What the job's handlers have logged: by attempt, and in each in the order of writing. Each record says how many before
   * it are missing (`skipped`): the newest 64 KiB of an attempt are kept. Texts are as the handler wrote them, control
   * characters included.
   *
   * @throws MusterError NOT_FOUND; with `follow` also RESOURCE_EXHAUSTED, when too many follow logs.
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
