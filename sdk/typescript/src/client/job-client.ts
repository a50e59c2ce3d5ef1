/** Submits jobs to Muster and follows them. */
import type { ListAssetsResponse } from '../gen/muster/v1/asset_service_pb.ts';
import { AssetService } from '../gen/muster/v1/asset_service_pb.ts';
import type { JobExplanation } from '../gen/muster/v1/job_explanation_pb.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import type { CallOptions, OpenChannel } from '../transport/channel.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { InputArguments, OutputOf, TypedJob, TypedRef, WithOutput } from '../typed/typed-job.ts';
import { newUuid } from '../uuid.ts';
import type { LogOptions, LogsRequest } from './attempt-logs.ts';
import { followLogs, listLogs, logOptions } from './attempt-logs.ts';
import type { BatchInit } from './batches/batch.ts';
import { BatchHandle } from './batches/batch.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { present, requestOptions } from './calls.ts';
import type { DependencyInit } from './dependency.ts';
import { dependency } from './dependency.ts';
import type { EventOptions, EventPage } from './event-watch.ts';
import { eventOptions, watchEvents } from './event-watch.ts';
import { FilterClient } from './jobs/filter-client.ts';
import type { JobChange } from './jobs/job-change.ts';
import { jobChange } from './jobs/job-change.ts';
import type { JobRef } from './jobs/job-ref.ts';
import { idOf } from './jobs/job-ref.ts';
import type { WaitOptions } from './jobs/job-wait.ts';
import { jobResult, waitForEnd, waitOptions } from './jobs/job-wait.ts';
import { watchJob } from './jobs/job-watch.ts';
import type { CancelOptions, PauseOptions } from './jobs/pause.ts';
import { cancelOptions, graceField, pauseOptions, pauseRequest } from './jobs/pause.ts';
import type { JobRequest, SubmittedJob, TypedJobRequest } from './jobs/submission.ts';
import type { SubmitManyOptions, SubmitOptions } from './jobs/submitter.ts';
import { Submitter } from './jobs/submitter.ts';

/** Options for retrying an ended job. */
export interface RetryOptions extends RequestOptions {
  /** Names of steps that the new workflow skips. At most 100, without duplicates. Default: none. */
  readonly skipSteps?: readonly string[];
  /** Reason, shown to operators. At most 1,024 characters. */
  readonly reason?: string;
}

const retryOptions: Known<RetryOptions> = { ...requestOptions, skipSteps: true, reason: true };

/** Selects the events to watch. */
type WatchEventsOptions = EventOptions & { readonly job?: JobRef };
const watchEventsOptions: Known<WatchEventsOptions> = { ...eventOptions, job: true };

/** Ends a watch. */
interface WatchOptions {
  readonly signal?: AbortSignal;
}

const watchOptions: Known<WatchOptions> = { signal: true };

/** The calls of a client, over any channel. */
export class JobClient extends FilterClient {
  readonly #assets: UnaryClient<(typeof AssetService)['method']>;
  readonly #jobs: UnaryClient<(typeof JobService)['method']>;
  readonly #submitter: Submitter;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#assets = unaryClient(this.calls.channel, AssetService);
    this.#jobs = unaryClient(this.calls.channel, JobService);
    this.#submitter = new Submitter(this.calls);
  }

  /**
   * Submits a job. The job is committed when the call returns. The input of a typed job is checked first, and is sent as
   * it was given.
   *
   * @param input Any JSON value, a `Uint8Array` (application/octet-stream), a `Payload`, or nothing.
   * @throws MusterError INVALID_ARGUMENT (INPUT_SCHEMA_VIOLATED) when the input does not fit; TypeError when an option
   *   is unknown. Nothing is sent then.
   */
  submit<Input, Output>(
    job: TypedJob<Input, Output>,
    ...rest: InputArguments<Input, SubmitOptions>
  ): Promise<SubmittedJob<Output>>;
  submit(definition: string, input?: unknown, options?: SubmitOptions): Promise<SubmittedJob>;
  async submit(job: string | TypedJob, input?: unknown, options: SubmitOptions = {}): Promise<SubmittedJob> {
    return this.#submitter.submit(job, input, options);
  }

  /**
   * Submits at most 10,000 jobs of 3 MiB in total, all or none. Returns them in the same order. A request names its
   * `definition`, or has a typed `job`.
   *
   * @throws MusterError, TypeError: as `submit` does.
   */
  submitMany<Job extends TypedJob>(
    jobs: readonly ({ readonly job: Job } & NoInfer<TypedJobRequest<Job>>)[],
    options?: SubmitManyOptions,
  ): Promise<SubmittedJob<OutputOf<Job>>[]>;
  submitMany(jobs: readonly JobRequest[], options?: SubmitManyOptions): Promise<SubmittedJob[]>;
  async submitMany(
    jobs: readonly (JobRequest | TypedJobRequest)[],
    options: SubmitManyOptions = {},
  ): Promise<SubmittedJob[]> {
    return this.#submitter.submitMany(jobs, options);
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
    return new BatchHandle(this, this.#submitter, idOf(batch));
  }

  /** Reads the current state of a job. */
  async get(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const response = await this.calls.make('get', options, (call) => this.#jobs.getJob(this.#target(job), call));
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
    const response = await this.calls.make('explain', options, (call) =>
      this.#jobs.explainJob(this.#target(job), call),
    );
    return present(response.explanation, 'explanation');
  }

  /**
   * Waits until the job has ended or `timeoutMs` expires, and returns the job as it is then. A handler that waits keeps
   * its slot meanwhile; `ctx.wait` releases it.
   */
  wait<Output>(job: TypedRef<Output>, options?: WaitOptions): Promise<Job & WithOutput<Output>>;
  wait(job: JobRef, options?: WaitOptions): Promise<Job>;
  async wait(job: JobRef, options: WaitOptions = {}): Promise<Job> {
    refuseUnknownOptions('wait', options, waitOptions);
    return waitForEnd(this.#jobs, this.calls.retry, this.#target(job), options);
  }

  /**
   * Waits for the job's end and returns the result of its handler. The worker and the control plane have checked the
   * result of a typed job, and the worker has transformed it, so it is returned as it is.
   *
   * @throws JobFailedError when it ended without a result.
   * @throws MusterError DEADLINE_EXCEEDED (WAIT_TIMEOUT) when `timeoutMs` expires first.
   */
  result<Output>(job: TypedRef<Output>, options?: WaitOptions): Promise<Output>;
  result<T = unknown>(job: JobRef, options?: WaitOptions): Promise<T>;
  async result(job: JobRef, options: WaitOptions = {}): Promise<unknown> {
    refuseUnknownOptions('result', options, waitOptions);
    return jobResult(await this.wait(job, options));
  }

  /**
   * Cancels a job and returns it as it is then: CANCELLED, or CANCELLING until its handler returns. It is
   * SUCCEEDED if the handler has returned a result meanwhile.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   */
  async cancel(job: JobRef, reason = '', options: CancelOptions = {}): Promise<Job> {
    const { requestId = newUuid(), graceMs } = options;
    const request = { ...this.#target(job), reason, requestId, ...graceField(graceMs) };
    const send = (call: CallOptions) => this.#jobs.cancelJob(request, call);
    const response = await this.calls.make('cancel', options, send, cancelOptions);
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
    const request = pauseRequest(this.#target(job), reason, { requestId: newUuid(), ...options });
    const send = (call: CallOptions) => this.#jobs.pauseJob(request, call);
    const response = await this.calls.make('pause', options, send, pauseOptions);
    return present(response.job, 'job');
  }

  /**
   * Resumes a paused job: at once, or at its run time if that is still ahead. One that is `exhausted` gets all attempts
   * of its retry policy again.
   */
  async resume(job: JobRef, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), requestId: options.requestId ?? newUuid() };
    const response = await this.calls.make('resume', options, (call) => this.#jobs.resumeJob(request, call));
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
    const request = { ...this.#target(job), reason, requestId: options.requestId ?? newUuid() };
    const response = await this.calls.make('fail', options, (call) => this.#jobs.failJob(request, call));
    return present(response.job, 'job');
  }

  /** Changes priority, run time or expiry of a waiting job. Omitted fields stay unchanged. */
  async update(job: JobRef, change: JobChange, options: RequestOptions = {}): Promise<Job> {
    const request = { ...this.#target(job), ...jobChange(change), requestId: options.requestId ?? newUuid() };
    const response = await this.calls.make('update', options, (call) => this.#jobs.updateJob(request, call));
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
    const { requestId = newUuid() } = options;
    const request = {
      ...this.#target(job),
      dependsOn: dependencies.map((one, i) => dependency(one, `addDependencies: dependencies[${i}]`)),
      requestId,
    };
    const response = await this.calls.make('addDependencies', options, (call) =>
      this.#jobs.addDependencies(request, call),
    );
    return present(response.job, 'job');
  }

  /** Lists a page of the published data assets, by name. */
  async listAssets(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListAssetsResponse> {
    const request = this.calls.page('listAssets', page);
    return this.calls.make('listAssets', options, (call) => this.#assets.listAssets(request, call));
  }

  /**
   * Submits a copy of an ended job and returns it. Its `retryOf` names the original.
   *
   * @throws MusterError NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED,
   *   DEFINITION_ARCHIVED, NOT_A_WORKFLOW, STEP_NOT_SKIPPABLE); ALREADY_EXISTS (DUPLICATE_JOB).
   */
  async retry(job: JobRef, options: RetryOptions = {}): Promise<Job> {
    const { requestId = newUuid(), skipSteps = [], reason = '' } = options;
    const request = { ...this.#target(job), requestId, skipSteps: [...skipSteps], reason };
    const send = (call: CallOptions) => this.#jobs.retryJob(request, call);
    const response = await this.calls.make('retry', options, send, retryOptions);
    return present(response.job, 'job');
  }

  /**
   * Erases the personal data of an ended job irrevocably and returns the id of the audit record.
   *
   * @param reason Reason, and who demanded it. Between 1 and 256 characters.
   */
  async erase(job: JobRef, reason: string, options: RequestOptions = {}): Promise<string> {
    const request = { ...this.#target(job), reason };
    return (await this.calls.make('erase', options, (call) => this.#jobs.eraseJob(request, call))).auditId;
  }

  /**
   * Yields the job as it is now, then after each change, until it has ended. Changes in quick succession are merged
   * into one. A lost connection is reopened; no change is yielded twice.
   *
   * @param options `signal` ends the watch with CANCELLED; leaving the loop ends it, too.
   * @throws MusterError NOT_FOUND; UNAVAILABLE when the control plane stays out of reach.
   */
  watch(job: JobRef, options: WatchOptions = {}): AsyncGenerator<Job, void> {
    refuseUnknownOptions('watch', options, watchOptions);
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
  watchEvents(options: WatchEventsOptions = {}): AsyncGenerator<EventPage, void> {
    refuseUnknownOptions('watchEvents', options, watchEventsOptions);
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
    refuseUnknownOptions('logs', options, logOptions);
    const target = { ...this.#target(job), attempt: options.attempt ?? 0 };
    if (options.follow) return followLogs(this.calls, target, options.signal);
    const list = (page: LogsRequest) =>
      this.calls.make('logs', options, (call) => this.#jobs.listAttemptLogs(page, call), logOptions);
    return listLogs(list, target, options.pageSize);
  }

  #target(job: JobRef): { namespace: string; jobId: string } {
    return { namespace: this.calls.namespace, jobId: idOf(job) };
  }
}
