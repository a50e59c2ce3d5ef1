/** Cancels jobs: at once where nothing runs, else by asking the session that holds the attempt. */
import { decideCancel } from '../domain/decide.ts';
import { isTerminal } from '../domain/job-state.ts';
import type { Change } from '../domain/run.ts';
import type { Changes } from './changes.ts';
import { EngineError } from './errors.ts';
import type { JobView } from './job-views.ts';
import type { Bus, Random } from './ports.ts';
import type { Store } from './store-port.ts';

export interface CancelsParts {
  readonly store: Pick<Store, 'readJob'>;
  readonly changes: Changes;
  readonly bus: Bus;
  readonly random: Random;
}

export class Cancels {
  readonly #parts: CancelsParts;

  constructor(parts: CancelsParts) {
    this.#parts = parts;
  }

  /** Resolves with the job, CANCELLED or CANCELLING. Throws JOB_NOT_FOUND or JOB_ENDED. */
  async cancel(namespace: string, jobId: string, reason: string): Promise<JobView> {
    const { changes, store, random } = this.#parts;
    const [change] = await changes.apply({ by: 'jobs', namespace, jobIds: [jobId] }, (run, nowUs, definition) =>
      decideCancel(run, reason, definition.cancelGraceMs, { nowUs, random: random.next() }),
    );
    if (change) this.#notify(change);
    const job = await store.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    if (isTerminal(job.state) && job.state !== 'CANCELLED') {
      throw new EngineError('JOB_ENDED', `job ${jobId} is ${job.state} already; nothing is left to cancel`, {
        metadata: { job_id: jobId, state: job.state },
      });
    }
    return job;
  }

  /** As `cancel`, for one that need not be there, or be open. */
  async cancelIfOpen(namespace: string, jobId: string, reason: string): Promise<void> {
    await this.cancel(namespace, jobId, reason).catch((error) => {
      if (!(error instanceof EngineError && ['JOB_ENDED', 'JOB_NOT_FOUND'].includes(error.reason))) throw error;
    });
  }

  /** Pushed at once; every heartbeat's reply repeats it until the attempt is closed. */
  #notify(change: Change): void {
    const { jobId, attempt, sessionId } = change.run;
    if (change.kind === 'continue' && sessionId) this.#parts.bus.cancel(sessionId, [{ jobId, attempt }]);
  }
}

export function jobNotFound(namespace: string, jobId: string): EngineError {
  return new EngineError('JOB_NOT_FOUND', `namespace ${namespace} has no job ${jobId}`, {
    metadata: { namespace, job_id: jobId },
  });
}
