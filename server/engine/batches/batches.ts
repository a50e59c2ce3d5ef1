/** Creates, reads and seals batches. `advance.ts` advances them. */
import { BATCH_DEFINITION, noneEnded } from '../../domain/batches/batch.ts';
import type { Announcer } from '../announcer.ts';
import { retryCollisions } from '../base/collisions.ts';
import { asEngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import type { StoredBatch } from '../ports/batches.ts';
import type { JobView } from '../ports/jobs.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { callbackSubmission } from './callbacks.ts';
import { type NewBatch, NewBatches, type NewBatchesParts } from './new-batches.ts';
import { batchNotFound } from './refusals.ts';

export interface BatchesParts extends NewBatchesParts {
  readonly store: Pick<Store, 'batches' | 'together' | 'readJob' | 'findSubmission'>;
  readonly submissions: Pick<Submissions, 'check'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

export interface BatchView extends StoredBatch {
  readonly job: JobView;
}

/** Each method rejects with an EngineError: BATCH_NOT_FOUND, and the errors of its RPC. */
export class Batches {
  readonly #parts: BatchesParts;
  readonly #newBatches: NewBatches;

  constructor(parts: BatchesParts) {
    this.#parts = parts;
    this.#newBatches = new NewBatches(parts);
  }

  /** A repeat returns the first call's batch in its current state. */
  async create(namespace: string, batch: NewBatch, request: RequestKey | undefined): Promise<BatchView> {
    try {
      const refusal: unknown = await this.#check(namespace, batch).catch((error) => error);
      const jobId = refusal
        ? await this.#newBatches.before(namespace, request, refusal)
        : await this.#newBatches.store(namespace, batch, request);
      this.#parts.announcer.committed({ outbox: true });
      return await this.get(namespace, jobId);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  async get(namespace: string, jobId: string): Promise<BatchView> {
    const { store } = this.#parts;
    const job = await store.readJob(namespace, jobId);
    const batch = job?.definition === BATCH_DEFINITION ? await store.batches.read(jobId) : undefined;
    if (!job || !batch) throw batchNotFound(jobId);
    return { ...batch, job };
  }

  async seal(namespace: string, jobId: string, request: RequestKey | undefined): Promise<BatchView> {
    const { store, ids, announcer } = this.#parts;
    await this.get(namespace, jobId);
    try {
      const audit = { auditId: ids.next(), namespace };
      await retryCollisions(this.#parts, () =>
        once(store, namespace, request, ({ batches }) => batches.seal(jobId, audit)),
      );
    } catch (error) {
      throw asEngineError(error);
    }
    announcer.committed({ workflows: [jobId] });
    return this.get(namespace, jobId);
  }

  /** Refuses a callback whose job could not be made now. */
  async #check(namespace: string, { callback }: NewBatch): Promise<void> {
    if (!callback) return;
    const ended = { jobId: NIL_UUID, state: 'SUCCEEDED', members: 0, ended: noneEnded } as const;
    await this.#parts.submissions.check(namespace, callbackSubmission(callback, ended), 'batch.callback');
  }
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000';
