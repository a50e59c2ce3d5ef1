/** Batches: what callers pass to make one, and the handle to use it. */
import { create } from '@bufbuild/protobuf';
import { Code, MusterError } from '../../error.ts';
import type { Batch } from '../../gen/muster/v1/batch_pb.ts';
import { BatchSchema } from '../../gen/muster/v1/batch_pb.ts';
import type { Job } from '../../gen/muster/v1/job_pb.ts';
import { isTerminal } from '../../job-state.ts';
import type { RequestOptions } from '../calls.ts';
import { present } from '../calls.ts';
import type { JobRef } from '../jobs/job-ref.ts';
import type { WaitOptions } from '../jobs/job-wait.ts';
import type { JobOptions, JobRequest, MemberOptions, SubmittedJob } from '../jobs/submission.ts';
import { jobSubmission } from '../jobs/submission.ts';
import type { ScheduledJobOptions } from '../schedules/schedule.ts';

/** A job that is submitted when the batch ends, whatever its outcome. */
export interface BatchCallback extends ScheduledJobOptions {
  readonly definition: string;
  /** A JSON object, or nothing. Muster adds `batch`, `state` and `counts` to it. */
  readonly input?: unknown;
}

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

/** Bounds a wait for a batch, and reports its progress. */
export interface BatchWaitOptions extends WaitOptions {
  /** Called with the batch about once per second, and at its end. */
  readonly onProgress?: (batch: Batch) => void;
}

/** @throws TypeError when the callback's input can't be written as JSON. */
export function batchMessage({ callback, maxFailed, ...init }: BatchInit): Batch {
  const batch = create(BatchSchema, init);
  if (maxFailed !== undefined) batch.maxFailed = BigInt(maxFailed);
  if (callback) {
    const { definition, input, ...job } = callback;
    batch.callback = jobSubmission(definition, input, job);
  }
  return batch;
}

const POLL_MS = 1_000;

/** The calls that a handle makes; the client has them, and depends on the handle. */
interface BatchCalls {
  submit(
    definition: string,
    input: unknown,
    options: JobOptions & RequestOptions & MemberOptions,
  ): Promise<SubmittedJob>;
  submitMany(jobs: readonly JobRequest[], options: RequestOptions & MemberOptions): Promise<SubmittedJob[]>;
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

  constructor(client: BatchCalls, jobId: string) {
    this.#client = client;
    this.jobId = jobId;
  }

  /**
   * Like `Client.submit`; the job becomes a member.
   *
   * @throws MusterError FAILED_PRECONDITION when the batch is sealed or ended.
   */
  submit(definition: string, input?: unknown, options: JobOptions & RequestOptions = {}): Promise<SubmittedJob> {
    return this.#client.submit(definition, input, { ...options, batch: this });
  }

  /** Like `Client.submitMany`: at most 10,000 jobs and 3 MiB per call. A batch takes any number of calls. */
  submitMany(jobs: readonly JobRequest[], options: RequestOptions = {}): Promise<SubmittedJob[]> {
    return this.#client.submitMany(jobs, { ...options, batch: this });
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
    return new BatchHandle(this.#client, present(batch.job, 'job').jobId);
  }

  /**
   * Waits until the batch has ended and returns it. A batch that is not sealed never ends.
   *
   * @throws MusterError DEADLINE_EXCEEDED (WAIT_TIMEOUT) when `timeoutMs` expires first.
   */
  async wait({ onProgress, signal, timeoutMs = Number.POSITIVE_INFINITY }: BatchWaitOptions = {}): Promise<Batch> {
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
