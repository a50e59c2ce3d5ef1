/** Batches: what callers pass to make one, and the handle to use it. */
import { create } from '@bufbuild/protobuf';
import { Code, MusterError } from '../../error.ts';
import type { Batch } from '../../gen/muster/v1/batch_pb.ts';
import { BatchSchema } from '../../gen/muster/v1/batch_pb.ts';
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import { isTerminal } from '../../job-state.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions, within } from '../../options/known-options.ts';
import type { InputArguments, OutputOf, TypedJob } from '../../typed/typed-job.ts';
import type { RequestOptions } from '../calls.ts';
import { present, requestOptions } from '../calls.ts';
import type { JobRef } from '../jobs/job-ref.ts';
import type { WaitOptions } from '../jobs/job-wait.ts';
import { waitOptions } from '../jobs/job-wait.ts';
import type { JobOptions, JobRequest, SubmittedJob, TypedJobRequest } from '../jobs/submission.ts';
import { jobOptions, jobSubmission } from '../jobs/submission.ts';
import type { Submitter } from '../jobs/submitter.ts';
import type { ScheduledJobOptions } from '../schedules/schedule.ts';
import { scheduledJobOptions } from '../schedules/schedule.ts';

/** A job that is submitted when the batch ends, whatever its outcome. */
export interface BatchCallback extends ScheduledJobOptions {
  readonly definition: string;
  /** A JSON object, or nothing. Muster adds `batch`, `state` and `counts` to it. */
  readonly input?: unknown;
}

const callbackOptions: Known<BatchCallback> = { ...scheduledJobOptions, definition: true, input: true };

/** Options of a new batch, all optional. */
export interface BatchInit {
  /** Labels of the batch; its members have their own. At most 64. */
  readonly labels?: Record<string, string>;
  /** Shown to operators. At most 1,024 characters. */
  readonly description?: string;
  /**
   * Failed members that the batch tolerates; one more stops it. Default: all members run, and any failure fails the
   * batch.
   */
  readonly maxFailed?: number;
  /** The batch succeeds no matter how many members fail. Excludes `maxFailed`. */
  readonly tolerateFailed?: boolean;
  readonly callback?: BatchCallback;
}

const batchInit: Known<BatchInit> = {
  labels: true,
  description: true,
  maxFailed: true,
  tolerateFailed: true,
  callback: true,
};

/** Bounds a wait for a batch, and reports its progress. */
export interface BatchWaitOptions extends WaitOptions {
  /** Called with the batch about once per second, and at its end. */
  readonly onProgress?: (batch: Batch) => void;
}

const batchWaitOptions: Known<BatchWaitOptions> = { ...waitOptions, onProgress: true };

/** Options of a member: those of its job and of the call. */
type BatchJobOptions = JobOptions & RequestOptions;
const batchJobOptions: Known<BatchJobOptions> = { ...jobOptions, ...requestOptions };

/** @throws TypeError when a field is unknown, or the callback's input can't be written as JSON. */
export function batchMessage(init: BatchInit): Batch {
  refuseUnknownOptions('createBatch', init, batchInit);
  const { callback, maxFailed, ...same } = init;
  const batch = create(BatchSchema, same);
  if (maxFailed !== undefined) batch.maxFailed = BigInt(maxFailed);
  if (callback) {
    const where = within('createBatch', 'callback');
    refuseUnknownOptions(where, callback, callbackOptions);
    const { definition, input, ...job } = callback;
    batch.callback = jobSubmission(definition, input, job, where);
  }
  return batch;
}

const POLL_MS = 1_000;

/** The calls that a handle makes; the client has them, and depends on the handle. */
interface BatchCalls {
  sealBatch(batch: JobRef, options: RequestOptions): Promise<Batch>;
  getBatch(batch: JobRef, options: RequestOptions): Promise<Batch>;
  cancel(job: JobRef, reason: string, options: RequestOptions): Promise<Job>;
  retryBatch(batch: JobRef, reason: string, options: RequestOptions): Promise<Batch>;
  wait(job: JobRef, options: WaitOptions): Promise<Job>;
}

/** A batch, identified by its job's id: add members, seal it, then wait for its end. */
export class BatchHandle {
  readonly jobId: string;
  readonly #client: BatchCalls;
  readonly #submitter: Submitter;

  constructor(client: BatchCalls, submitter: Submitter, jobId: string) {
    this.#client = client;
    this.#submitter = submitter;
    this.jobId = jobId;
  }

  /**
   * Like `Client.submit`; the job becomes a member.
   *
   * @throws MusterError FAILED_PRECONDITION when the batch is sealed or ended.
   */
  submit<Input, Output>(
    job: TypedJob<Input, Output>,
    ...rest: InputArguments<Input, BatchJobOptions>
  ): Promise<SubmittedJob<Output>>;
  submit(definition: string, input?: unknown, options?: BatchJobOptions): Promise<SubmittedJob>;
  async submit(job: string | TypedJob, input?: unknown, options: BatchJobOptions = {}): Promise<SubmittedJob> {
    refuseUnknownOptions('submit', options, batchJobOptions);
    return this.#submitter.submit(job, input, { ...options, batch: this });
  }

  /** Like `Client.submitMany`: at most 10,000 jobs and 3 MiB per call. A batch takes any number of calls. */
  submitMany<Job extends TypedJob>(
    jobs: readonly ({ readonly job: Job } & NoInfer<TypedJobRequest<Job>>)[],
    options?: RequestOptions,
  ): Promise<SubmittedJob<OutputOf<Job>>[]>;
  submitMany(jobs: readonly JobRequest[], options?: RequestOptions): Promise<SubmittedJob[]>;
  async submitMany(
    jobs: readonly (JobRequest | TypedJobRequest)[],
    options: RequestOptions = {},
  ): Promise<SubmittedJob[]> {
    refuseUnknownOptions('submitMany', options, requestOptions);
    return this.#submitter.submitMany(jobs, { ...options, batch: this });
  }

  /** Seals the batch: it takes no more members, and ends once all of them have. Sealing twice is no error. */
  seal(options: RequestOptions = {}): Promise<Batch> {
    return this.#client.sealBatch(this, options);
  }

  get(options: RequestOptions = {}): Promise<Batch> {
    return this.#client.getBatch(this, options);
  }

  /** Cancels the batch and its open members. @param reason Reason, shown to operators. At most 256 characters. */
  cancel(reason = '', options: RequestOptions = {}): Promise<Job> {
    return this.#client.cancel(this, reason, options);
  }

  /** Like `Client.retryBatch`. @returns The new batch, which seals itself. */
  async retry(reason = '', options: RequestOptions = {}): Promise<BatchHandle> {
    const batch = await this.#client.retryBatch(this, reason, options);
    return new BatchHandle(this.#client, this.#submitter, present(batch.job, 'job').jobId);
  }

  /**
   * Waits until the batch has ended and returns it. A batch that is not sealed never ends.
   *
   * @throws MusterError DEADLINE_EXCEEDED (WAIT_TIMEOUT) when `timeoutMs` expires first.
   */
  async wait(options: BatchWaitOptions = {}): Promise<Batch> {
    refuseUnknownOptions('wait', options, batchWaitOptions);
    const { onProgress, signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
    const end = performance.now() + timeoutMs;
    const stop = signal ? { signal } : {};
    for (;;) {
      const left = Math.max(0, end - performance.now());
      const job = await this.#client.wait(this, { ...stop, timeoutMs: onProgress ? Math.min(POLL_MS, left) : left });
      const isOver = isTerminal(job.state);
      if (!onProgress && !isOver) throw this.#timeUp();
      const batch = await this.get(stop);
      onProgress?.(batch);
      if (isOver) return batch;
      if (performance.now() >= end) throw this.#timeUp();
    }
  }

  #timeUp(): MusterError {
    return new MusterError({
      code: Code.DEADLINE_EXCEEDED,
      message: `batch ${this.jobId} has not ended yet`,
      reason: 'WAIT_TIMEOUT',
      metadata: { job_id: this.jobId },
    });
  }
}
