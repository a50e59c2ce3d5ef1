/**
 * Retries of batches: the call makes the new batch, its members are made after the reply. If a replica dies or meets a
 * temporary error, another one continues.
 */
import { countFailed } from '../../domain/batches/batch.ts';
import { newRetry } from '../../domain/batches/batch-retry.ts';
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { asEngineError } from '../base/errors.ts';
import { killPoint } from '../base/kill-points.ts';
import { jobNotEnded } from '../jobs/change/erasures.ts';
import { Loop } from '../loop.ts';
import type { Log } from '../ports/ports.ts';
import type { RequestKey } from '../ports/store.ts';
import type { Batches, BatchView } from './batches.ts';
import { type NewBatch, NewBatches, type NewBatchesParts } from './new-batches.ts';
import { batchErased, nothingToRetry } from './refusals.ts';
import { type AfterPage, RetryPages, type RetryPagesParts } from './retry-pages.ts';

const ROUND_MS = 1_000;
/** A retrying batch that got no members for longer has been abandoned. */
const LEFT_MS = 2_000;
const MAX_LEFT = 100;
/** Max batches filled at once: each has a page of inputs in memory. */
const MAX_AT_ONCE = 4;

export interface BatchRetriesParts extends NewBatchesParts, RetryPagesParts {
  readonly store: NewBatchesParts['store'] & RetryPagesParts['store'];
  readonly definitions: NewBatchesParts['definitions'];
  readonly batches: Pick<Batches, 'get'>;
  readonly log: Log;
}

export interface RetryRequest extends Pick<NewBatch, 'traceparent' | 'tracestate'> {
  /** The batch to retry. */
  readonly jobId: string;
  /** Free text, shown later. */
  readonly reason: string;
}

export class BatchRetries {
  readonly #parts: BatchRetriesParts;
  readonly #newBatches: NewBatches;
  readonly #pages: RetryPages;
  /** By batch, so that each is filled once at a time. */
  readonly #filling = new Map<string, Promise<void>>();
  readonly #loop: Loop;

  constructor(parts: BatchRetriesParts) {
    this.#parts = parts;
    this.#newBatches = new NewBatches(parts);
    this.#pages = new RetryPages(parts);
    const name = 'batches that retry others';
    this.#loop = new Loop({ ...parts, name, everyMs: ROUND_MS, run: () => this.#sweep() });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#loop.stop(), ...this.#filling.values()]);
  }

  /**
   * Resolves with the new batch; a repeat with the first call's, in its current state. Throws BATCH_NOT_FOUND,
   * JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY, BATCH_RETRIED and REQUEST_ID_REUSED.
   */
  async retry(namespace: string, retry: RetryRequest, request: RequestKey | undefined): Promise<BatchView> {
    const { batches, announcer } = this.#parts;
    try {
      const jobId = await this.#make(namespace, retry, request).catch((refusal) =>
        this.#newBatches.before(namespace, request, refusal),
      );
      killPoint('batches.after_retry_before_members');
      announcer.committed({ outbox: true });
      this.#fill(jobId);
      return await batches.get(namespace, jobId);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  async #make(
    namespace: string,
    { jobId, reason, ...trace }: RetryRequest,
    request: RequestKey | undefined,
  ): Promise<string> {
    const batch = await this.#parts.batches.get(namespace, jobId);
    const { job, members, progress, description, policy, callback } = batch;
    if (!isTerminal(job.state)) throw jobNotEnded(jobId, job.state, 'wait for its end, or cancel it first');
    if (job.erased) throw batchErased(jobId);
    const failed = countFailed(progress.ended);
    if (failed === 0) throw nothingToRetry(jobId);
    const retries = { retry: newRetry(jobId, members, failed), reason };
    const made = { description, policy, callback, labels: job.labels, retries, ...trace };
    return this.#newBatches.store(namespace, made, request);
  }

  /** Above MAX_AT_ONCE nothing is done: a later round or another replica fills the batch. */
  #fill(jobId: string): void {
    if (this.#loop.isStopped || this.#filling.has(jobId) || this.#filling.size >= MAX_AT_ONCE) return;
    const filling = this.#fillAll(jobId)
      .catch((error) =>
        this.#parts.log.warn(
          { job_id: jobId, error: String(error) },
          'members of a retrying batch could not be made; the next round tries again',
        ),
      )
      .finally(() => this.#filling.delete(jobId));
    this.#filling.set(jobId, filling);
  }

  async #fillAll(jobId: string): Promise<void> {
    for (let after: AfterPage = 'MORE'; after === 'MORE' && !this.#loop.isStopped; )
      after = await this.#pages.next(jobId);
  }

  async #sweep(): Promise<void> {
    for (const jobId of await this.#parts.store.batches.findFilling(LEFT_MS, MAX_LEFT)) this.#fill(jobId);
  }
}
