/** Cancels jobs: at once if no attempt is open, else by asking the session that holds it. */

import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { decideCancel } from '../../../domain/jobs/decide.ts';
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import type { Change, OpenRun } from '../../../domain/jobs/run.ts';
import { isRecorded } from '../../../domain/namespaces/recorded.ts';
import { decideCancelWait } from '../../../domain/signals/wait.ts';
import { EngineError } from '../../base/errors.ts';
import type { JobIds } from '../../base/job-ids.ts';
import type { CancelNotice } from '../../base/messages.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Bus, Random } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import type { Changes } from './changes.ts';

export interface Cancel {
  readonly reason: string;
  /** On somebody's request, or by a rule of the control plane. */
  readonly by: 'HAND' | 'RULE';
  /** How long handlers may take; 0: they are not waited for. Undefined: as their definitions say. */
  readonly graceMs?: number | undefined;
}

export interface CancelsParts {
  readonly store: Pick<Store, 'readJob'>;
  readonly changes: Changes;
  readonly ids: JobIds;
  readonly bus: Bus;
  readonly random: Random;
}

export class Cancels {
  readonly #parts: CancelsParts;

  constructor(parts: CancelsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the job, CANCELLED or CANCELLING, or already ended by the attempt that was asked to stop. Throws
   * JOB_NOT_FOUND or JOB_ENDED.
   */
  async cancel(namespace: string, jobId: string, cancel: Cancel): Promise<JobView> {
    const changes = await this.#apply(namespace, [jobId], cancel);
    const job = await this.#parts.store.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    if (changes.length === 0 && isTerminal(job.state) && job.state !== 'CANCELLED') {
      throw new EngineError('JOB_ENDED', `job ${jobId} is ${job.state} already and can't be cancelled`, {
        metadata: { job_id: jobId, state: job.state },
      });
    }
    return job;
  }

  /** Cancels the open ones by the same rules. Returns how many were cancelled or asked to stop. At most 1,000. */
  async cancelMany(namespace: string, jobIds: readonly string[], cancel: Cancel): Promise<number> {
    if (jobIds.length === 0) return 0;
    const changes = await this.#apply(namespace, jobIds, cancel);
    return changes.length;
  }

  /** As `cancel` by a rule, for a job that may be missing or ended. */
  async cancelIfOpen(namespace: string, jobId: string, reason: string): Promise<void> {
    await this.cancel(namespace, jobId, { reason, by: 'RULE' }).catch((error) => {
      if (!(error instanceof EngineError && ['JOB_ENDED', 'JOB_NOT_FOUND'].includes(error.reason))) throw error;
    });
  }

  async #apply(namespace: string, jobIds: readonly string[], cancel: Cancel): Promise<Change[]> {
    const { changes, ids } = this.#parts;
    const { reason, by } = cancel;
    const made = await changes.apply({ by: 'jobs', namespace, jobIds }, (run, nowUs, definition) => {
      const decided = this.decide(run, nowUs, definition, cancel);
      if (!decided || by === 'RULE' || !isRecorded(definition)) return decided;
      const { jobId } = run;
      return {
        ...decided,
        audit: { auditId: ids.next(), action: 'CANCEL_JOB', namespace, jobId, reason, subject: '' },
      };
    });
    this.notify(made);
    return made;
  }

  /** The change of one job; undefined: it is being cancelled already. Call `notify` once it is committed. */
  decide(
    run: OpenRun,
    nowUs: number,
    { wait, cancelGraceMs }: JobDefinition,
    { reason, graceMs }: Omit<Cancel, 'by'>,
  ): Change | undefined {
    const moment = { nowUs, random: this.#parts.random.next() };
    return (wait && decideCancelWait(run, reason)) ?? decideCancel(run, reason, cancelGraceMs, moment, graceMs);
  }

  /**
   * Pushed at once, also where nobody waits for the handler; the reply to every heartbeat repeats it until the attempt is
   * closed, and every twelfth one after that.
   */
  notify(changes: readonly Change[]): void {
    const notices = new Map<string, CancelNotice[]>();
    for (const { run } of changes) {
      if (!run.sessionId) continue;
      const { jobId, attempt, sessionId } = run;
      notices.set(sessionId, [...(notices.get(sessionId) ?? []), { jobId, attempt }]);
    }
    for (const [sessionId, list] of notices) this.#parts.bus.cancel(sessionId, list);
  }
}

export function jobNotFound(namespace: string, jobId: string, field?: string): EngineError {
  return new EngineError('JOB_NOT_FOUND', `namespace ${namespace} has no job ${jobId}`, {
    ...(field === undefined ? {} : { field }),
    metadata: { namespace, job_id: jobId },
  });
}
