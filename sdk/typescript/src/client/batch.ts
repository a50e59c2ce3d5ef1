/** Batches as callers make and use them. */
import { create } from '@bufbuild/protobuf';
import { Code, MusterError } from '../error.ts';
import type { Batch } from '../gen/muster/v1/batch_pb.ts';
import { BatchSchema } from '../gen/muster/v1/batch_pb.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { isTerminal } from '../job-state.ts';
import type { RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { Client, JobRequest, SubmittedJob } from './client.ts';
import type { WaitOptions } from './job-wait.ts';
import type { ScheduledJobOptions } from './schedule.ts';
import type { JobOptions } from './submission.ts';
import { jobSubmission } from './submission.ts';

/** A job that is made when the batch ends, however it ended. */
export interface BatchCallback extends ScheduledJobOptions {
  readonly definition: string;
  /** A JSON object, or nothing: `batch`, `state` and `counts` are added to it. */
  readonly input?: unknown;
}

/** What a batch is made of. Everything may be left out. */
export interface BatchInit {
  /** Of the batch; its members have their own. At most 64. */
  readonly labels?: Record<string, string>;
  /** For people. At most 1,024 characters. */
  readonly description?: string;
  /** So many members may fail; one more stops the batch. Default: all members run, and the batch fails if one did. */
  readonly maxFailed?: number;
  /** The batch succeeds however many members fail. Excludes `maxFailed`. */
  readonly tolerateFailed?: boolean;
  readonly callback?: BatchCallback;
}

/** How long a batch is waited for, and who is told meanwhile. */
export interface BatchWaitOptions extends WaitOptions {
  /** Told how the members are getting on, about once a second and at the end. */
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

/** A batch by its job's id: members are added to it, then it is sealed and followed. */
export class BatchHandle {
  readonly jobId: string;
  readonly #client: Client;

  constructor(client: Client, jobId: string) {
    this.#client = client;
    this.jobId = jobId;
  }

  /** As `Client.submit`: the job becomes a member. @throws MusterError FAILED_PRECONDITION when it takes no more. */
  submit(definition: string, input?: unknown, options: JobOptions & RequestOptions = {}): Promise<SubmittedJob> {
    return this.#client.submit(definition, input, { ...options, batch: this });
  }

  /** As `Client.submitMany`: up to 10,000 jobs of at most 3 MiB a call, and as many calls as it takes. */
  submitMany(jobs: readonly JobRequest[], options: RequestOptions = {}): Promise<SubmittedJob[]> {
    return this.#client.submitMany(jobs, { ...options, batch: this });
  }

  /** There are no more members: the batch ends once all have. Sealing twice is no error. */
  seal(options: RequestOptions = {}): Promise<Batch> {
    return this.#client.sealBatch(this, options);
  }

  get(options: RequestOptions = {}): Promise<Batch> {
    return this.#client.getBatch(this, options);
  }

  /** Cancels the batch and its open members. @param reason Why, for people. At most 256 characters. */
  cancel(reason = '', options: RequestOptions = {}): Promise<Job> {
    return this.#client.cancel(this, reason, options);
  }

  /** As `Client.retryBatch`. @returns The new batch, which seals itself. */
  async retry(reason = '', options: RequestOptions = {}): Promise<BatchHandle> {
    return this.#client.batch(present((await this.#client.retryBatch(this, reason, options)).job, 'job'));
  }

  /**
   * Waits for the batch's end and answers it; one that is not sealed has none.
   *
   * @throws MusterError DEADLINE_EXCEEDED when `timeoutMs` is up before.
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
