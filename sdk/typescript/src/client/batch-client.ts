/** What can be asked of batches. */
import { randomUUID } from 'node:crypto';
import type { Batch } from '../gen/muster/v1/batch_pb.ts';
import { BatchService } from '../gen/muster/v1/batch_service_pb.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { BatchInit } from './batch.ts';
import { batchMessage } from './batch.ts';
import type { ClientOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { JobRef } from './job-ref.ts';
import { idOf } from './job-ref.ts';
import { WorkflowClient } from './workflow-client.ts';

export class BatchClient extends WorkflowClient {
  readonly #batches: UnaryClient<(typeof BatchService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    this.#batches = unaryClient(this.calls.channel, BatchService);
  }

  /** Reads a batch with its counts. @throws MusterError NOT_FOUND (BATCH_NOT_FOUND). */
  async getBatch(batch: JobRef, options: RequestOptions = {}): Promise<Batch> {
    const request = { namespace: this.calls.namespace, jobId: idOf(batch) };
    const response = await this.calls.make(options, (call) => this.#batches.getBatch(request, call));
    return present(response.batch, 'batch');
  }

  /** There are no more members: the batch ends once all have. @throws MusterError NOT_FOUND (BATCH_NOT_FOUND). */
  async sealBatch(batch: JobRef, options: RequestOptions = {}): Promise<Batch> {
    const { requestId = randomUUID() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(batch), requestId };
    const response = await this.calls.make(options, (call) => this.#batches.sealBatch(request, call));
    return present(response.batch, 'batch');
  }

  /**
   * Makes a new batch of the members of an ended one that have failed, been cancelled or expired. Answers at once: they are made
   * behind the call, `retry` of the batch says how far that is, and then it is sealed. What fails of it is retried by retrying it.
   *
   * @param reason Why, for people; kept in the audit records. At most 1,024 characters.
   * @throws MusterError NOT_FOUND (BATCH_NOT_FOUND), FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY,
   *   BATCH_RETRIED: another one retries it already).
   */
  async retryBatch(batch: JobRef, reason = '', options: RequestOptions = {}): Promise<Batch> {
    const { requestId = randomUUID() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(batch), reason, requestId };
    const response = await this.calls.make(options, (call) => this.#batches.retryBatch(request, call));
    return present(response.batch, 'batch');
  }

  protected async makeBatch(init: BatchInit, options: RequestOptions): Promise<Batch> {
    const { requestId = randomUUID() } = options;
    const request = { namespace: this.calls.namespace, batch: batchMessage(init), requestId };
    const response = await this.calls.make(options, (call) => this.#batches.createBatch(request, call));
    return present(response.batch, 'batch');
  }
}
