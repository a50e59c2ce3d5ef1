/** Calls for batches. */

import type { Batch } from '../../gen/muster/v1/batch_pb.ts';
import { BatchService } from '../../gen/muster/v1/batch_service_pb.ts';
import type { OpenChannel } from '../../transport/channel.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import { newUuid } from '../../uuid.ts';
import type { ClientOptions, RequestOptions } from '../calls.ts';
import { present } from '../calls.ts';
import type { JobRef } from '../jobs/job-ref.ts';
import { idOf } from '../jobs/job-ref.ts';
import { WorkflowClient } from '../workflow-client.ts';
import type { BatchInit } from './batch.ts';
import { batchMessage } from './batch.ts';

export class BatchClient extends WorkflowClient {
  readonly #batches: UnaryClient<(typeof BatchService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#batches = unaryClient(this.calls.channel, BatchService);
  }

  /** Reads a batch with its counts. @throws MusterError NOT_FOUND (BATCH_NOT_FOUND). */
  async getBatch(batch: JobRef, options: RequestOptions = {}): Promise<Batch> {
    const request = { namespace: this.calls.namespace, jobId: idOf(batch) };
    const response = await this.calls.make('getBatch', options, (call) => this.#batches.getBatch(request, call));
    return present(response.batch, 'batch');
  }

  /**
   * Seals a batch: it takes no more members, and ends once all of them have.
   *
   * @throws MusterError NOT_FOUND (BATCH_NOT_FOUND).
   */
  async sealBatch(batch: JobRef, options: RequestOptions = {}): Promise<Batch> {
    const { requestId = newUuid() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(batch), requestId };
    const response = await this.calls.make('sealBatch', options, (call) => this.#batches.sealBatch(request, call));
    return present(response.batch, 'batch');
  }

  /**
   * Makes a new batch of the failed, cancelled and expired members of an ended one. Returns at once: the members are
   * made in the background, `retry` of the new batch shows the progress, and at the end that batch is sealed. To retry
   * its own failures, retry the new batch.
   *
   * @param reason Reason, shown to operators and kept in the audit records. At most 1,024 characters.
   * @throws MusterError NOT_FOUND (BATCH_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY,
   *   or BATCH_RETRIED when another batch retries it already).
   */
  async retryBatch(batch: JobRef, reason = '', options: RequestOptions = {}): Promise<Batch> {
    const { requestId = newUuid() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(batch), reason, requestId };
    const response = await this.calls.make('retryBatch', options, (call) => this.#batches.retryBatch(request, call));
    return present(response.batch, 'batch');
  }

  protected async makeBatch(init: BatchInit, options: RequestOptions): Promise<Batch> {
    const { requestId = newUuid() } = options;
    const request = { namespace: this.calls.namespace, batch: batchMessage(init), requestId };
    const response = await this.calls.make('createBatch', options, (call) => this.#batches.createBatch(request, call));
    return present(response.batch, 'batch');
  }
}
