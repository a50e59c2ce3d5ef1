/** Stores new batches: the batch's own job and the batch's record, in one transaction. */
import type { BatchRetry } from '../../domain/batches/batch-retry.ts';
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import { type CollisionParts, retryCollisions } from '../base/collisions.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import type { JobIds } from '../base/job-ids.ts';
import { requestIdReused } from '../base/requests.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { laneOf, newJob } from '../jobs/submit/new-jobs.ts';
import type { BatchSpec } from '../ports/batches.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import type { NewJob, Submission, SubmitResult, SubmittedJob } from '../ports/submissions.ts';
import { batchDefinition } from './definition.ts';
import { batchRetried } from './refusals.ts';

export interface NewBatchesParts extends CollisionParts {
  readonly store: Pick<Store, 'together' | 'findSubmission'>;
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly clock: DbClock;
}

export interface NewBatch extends BatchSpec, Pick<Submission, 'labels' | 'traceparent' | 'tracestate'> {
  /** Undefined: it is not a retry. */
  readonly retries?: { readonly retry: BatchRetry; readonly reason: string } | undefined;
}

export class NewBatches {
  readonly #parts: NewBatchesParts;

  constructor(parts: NewBatchesParts) {
    this.#parts = parts;
  }

  /**
   * The id of the batch's job; for a repeat the first call's, and nothing is stored. Throws REQUEST_ID_REUSED and
   * BATCH_RETRIED.
   */
  store(namespace: string, batch: NewBatch, request: RequestKey | undefined): Promise<string> {
    return retryCollisions(this.#parts, () => this.#store(namespace, batch, request));
  }

  /**
   * The first call's batch if the call is a repeat: its request was valid when it was carried out. Else throws
   * `refusal`.
   */
  async before(namespace: string, request: RequestKey | undefined, refusal: unknown): Promise<string> {
    const found = request && (await this.#parts.store.findSubmission({ namespace, ...request }));
    if (!found) throw refusal;
    return jobOf(found).jobId;
  }

  async #store(namespace: string, batch: NewBatch, request: RequestKey | undefined): Promise<string> {
    const { store, lanes, ids } = this.#parts;
    const { retries } = batch;
    try {
      const { job, key } = await store.together(async (inner) => {
        if (retries) await refuseRetried(inner, retries.retry.batchJobId);
        const made = await this.#newJob(inner, namespace, batch);
        const [result] = await inner.submit([{ namespace, jobs: [made.job], keys: [], ...request }]);
        const stored = jobOf(result);
        if (stored.existing) throw new Repeated(stored.jobId);
        const { jobId } = made.job;
        await inner.batches.insert(jobId, batch);
        if (retries) await inner.batches.insertRetry({ jobId, namespace, auditId: ids.next(), ...retries });
        return made;
      });
      lanes.learn(key, job.laneId);
      return job.jobId;
    } catch (error) {
      if (error instanceof Repeated) return error.jobId;
      throw error;
    }
  }

  async #newJob(
    store: Pick<Store, 'readDefinition' | 'applyDefinition' | 'ensureLane'>,
    namespace: string,
    { labels, traceparent, tracestate, retries }: NewBatch,
  ): Promise<{ readonly job: NewJob; readonly key: LaneKey }> {
    const definition = await batchDefinition(this.#parts.definitions, store, namespace);
    const submission: Submission = {
      definition: definition.name,
      definitionVersion: definition.version,
      input: { data: new Uint8Array(), contentType: '' },
      idempotencyKey: '',
      conflictPolicy: 'USE_EXISTING',
      queue: '',
      labels,
      traceparent,
      tracestate,
      retryOf: retries?.retry.batchJobId,
    };
    const lane = laneOf(namespace, submission, definition);
    const laneId = this.#parts.lanes.known(lane.key) ?? (await store.ensureLane(lane.key));
    const job = newJob(this.#parts, submission, definition, { ...lane, laneId }, {});
    return { job: { ...job, state: 'WAITING' }, key: lane.key };
  }
}

/** Locks the batch until the transaction ends, so that nobody else retries it. */
async function refuseRetried({ batches }: Pick<Store, 'batches'>, jobId: string): Promise<void> {
  const retryJobId = await batches.lockRetried(jobId);
  if (retryJobId !== undefined) throw batchRetried(jobId, retryJobId);
}

/** Thrown to roll the transaction back. */
class Repeated extends Error {
  readonly jobId: string;
  constructor(jobId: string) {
    super('a repeat');
    this.jobId = jobId;
  }
}

/** Throws REQUEST_ID_REUSED. */
function jobOf(result: SubmitResult | undefined): SubmittedJob {
  if (result?.kind === 'requestIdReused') throw requestIdReused();
  const [job] = result?.kind === 'stored' ? result.jobs : [];
  if (!job) throw new EngineError('INTERNAL', 'a batch was stored and has no id');
  return job;
}
