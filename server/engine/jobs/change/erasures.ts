/** Erases the personal data in ended jobs, and in their clean-up jobs. */

import { asEngineError, EngineError } from '../../base/errors.ts';
import type { JobIds } from '../../base/job-ids.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';
import { jobNotFound } from './cancels.ts';

export interface ErasuresParts {
  readonly store: Pick<Store, 'eraseJob' | 'readJob'>;
  readonly ids: JobIds;
}

export class Erasures {
  readonly #parts: ErasuresParts;

  constructor(parts: ErasuresParts) {
    this.#parts = parts;
  }

  /** Resolves with the job and the id of the first audit record. Throws JOB_NOT_FOUND or JOB_NOT_ENDED. */
  async erase(namespace: string, jobId: string, reason: string): Promise<{ job: JobView; auditId: string }> {
    const { store, ids } = this.#parts;
    const erased = await store.eraseJob({ namespace, jobId, reason, auditId: ids.next() }).catch((error) => {
      throw asEngineError(error);
    });
    if (erased.kind === 'open') {
      const { state, cleanupJobId } = erased;
      if (!cleanupJobId) throw jobNotEnded(jobId, state, 'cancel it first');
      throw jobNotEnded(
        cleanupJobId,
        state,
        `it cleans up after job ${jobId} with a copy of its input; wait, or cancel it`,
      );
    }
    const job = erased.kind === 'erased' ? await store.readJob(namespace, jobId) : undefined;
    if (!job || erased.kind === 'missing') throw jobNotFound(namespace, jobId);
    return { job, auditId: erased.auditId };
  }
}

export function jobNotEnded(jobId: string, state: string, advice: string): EngineError {
  return new EngineError('JOB_NOT_ENDED', `job ${jobId} is ${state}, it has not ended: ${advice}`, {
    metadata: { job_id: jobId, state },
  });
}
