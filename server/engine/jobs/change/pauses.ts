/** Pauses and resumes jobs, and updates waiting ones. */

import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import {
  decideGiveUp,
  decidePause,
  decidePauseIfPossible,
  decideResume,
  decideUpdate,
  type GiveUpRefusal,
  type PauseRefusal,
  type PauseRequest,
  type Update,
} from '../../../domain/jobs/pause.ts';
import type { Change, OpenRun } from '../../../domain/jobs/run.ts';
import { isRecorded } from '../../../domain/namespaces/recorded.ts';
import { EngineError } from '../../base/errors.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Bus, Random } from '../../ports/ports.ts';
import type { RequestKey, Store } from '../../ports/store.ts';
import { jobNotFound } from './cancels.ts';
import type { Changes, DecideJob } from './changes.ts';
import { changeAndNotify, notifySuspended } from './suspend-notices.ts';

export interface PausesParts {
  readonly store: Pick<Store, 'readJob'>;
  readonly changes: Changes;
  readonly bus: Pick<Bus, 'suspend'>;
  readonly random: Random;
}

/** The request of a caller. */
export interface Pause extends Pick<PauseRequest, 'reason' | 'stopsTimeouts'> {
  /** Whether an open attempt is asked to stop, and a workflow or a batch that has begun is paused with its jobs. */
  readonly running: boolean;
  /** Undefined: the definition's. */
  readonly graceMs: number | undefined;
}

/**
 * Each method resolves with the job; for a repeat, in its current state. Throws JOB_NOT_FOUND, JOB_ENDED,
 * JOB_NOT_WAITING or REQUEST_ID_REUSED.
 */
export class Pauses {
  readonly #parts: PausesParts;

  constructor(parts: PausesParts) {
    this.#parts = parts;
  }

  pause(namespace: string, jobId: string, pause: Pause, request: RequestKey | undefined): Promise<JobView> {
    return this.#change(namespace, jobId, request, (run, nowUs, definition) =>
      decidePause(run, requestOf(pause, definition), nowUs),
    );
  }

  /** Pauses those that can be. Returns how many were paused or asked to stop. At most 1,000. */
  pauseMany(namespace: string, jobIds: readonly string[], pause: Pause): Promise<number> {
    return this.#changeMany(namespace, jobIds, (run, nowUs, definition) =>
      decidePauseIfPossible(run, requestOf(pause, definition), nowUs),
    );
  }

  /** Resumes those that are paused for themselves. Returns how many. At most 1,000. */
  resumeMany(namespace: string, jobIds: readonly string[]): Promise<number> {
    return this.#changeMany(namespace, jobIds, (run, nowUs, { timeLimits }) =>
      run.pausedWithParent ? undefined : decideResume(run, this.#moment(nowUs), timeLimits?.totalTimeoutMs),
    );
  }

  resume(namespace: string, jobId: string, request: RequestKey | undefined): Promise<JobView> {
    return this.#change(namespace, jobId, request, (run, nowUs, { timeLimits }) =>
      decideResume(run, this.#moment(nowUs), timeLimits?.totalTimeoutMs),
    );
  }

  /** Ends a paused job with the failure of its last attempt. Also throws JOB_NOT_FAILED and CONFLICT. */
  async fail(namespace: string, jobId: string, reason: string, request: RequestKey | undefined): Promise<JobView> {
    const attempts = (await this.#parts.store.readJob(namespace, jobId))?.attempts ?? [];
    return this.#change(namespace, jobId, request, (run) => {
      const last = attempts.find(({ attempt }) => attempt === run.attempt);
      if (run.state === 'PAUSED' && run.attempt > 0 && !last?.outcome)
        throw new EngineError('CONFLICT', `job ${jobId} has just been paused; try again`, { retryAfterMs: 50 });
      return decideGiveUp(run, reason, last?.failure);
    });
  }

  /** Also throws INVALID_FIELD: for an expiry in the past, and for a run time later than the expiry. */
  update(namespace: string, jobId: string, update: Update, request: RequestKey | undefined): Promise<JobView> {
    return this.#change(namespace, jobId, request, (run, nowUs) => decideUpdate(run, update, this.#moment(nowUs)));
  }

  #moment(nowUs: number) {
    return { nowUs, random: this.#parts.random.next() };
  }

  async #changeMany(namespace: string, jobIds: readonly string[], decide: DecideJob): Promise<number> {
    if (jobIds.length === 0) return 0;
    return (await changeAndNotify(this.#parts, { by: 'jobs', namespace, jobIds }, decide)).length;
  }

  async #change(
    namespace: string,
    jobId: string,
    request: RequestKey | undefined,
    decide: (...given: Parameters<DecideJob>) => Change | PauseRefusal | GiveUpRefusal | undefined,
  ): Promise<JobView> {
    const { changes, store } = this.#parts;
    let stays = false;
    let asked: Change | undefined;
    let decidedUs = 0;
    const { repeated, changed } = await changes.applyOnce(
      { by: 'jobs', namespace, jobIds: [jobId] },
      request,
      (run, nowUs, definition) => {
        const decision = decide(run, nowUs, definition);
        if (typeof decision === 'string') throw refusalOf(decision, run);
        stays = decision === undefined;
        asked = decision;
        decidedUs = nowUs;
        return decision;
      },
    );
    if (changed && asked) notifySuspended(this.#parts.bus, [asked], decidedUs);
    const job = await store.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    // A resumed job may have ended by now.
    if (isTerminal(job.state) && !repeated && !changed && !stays) {
      throw new EngineError(
        'JOB_ENDED',
        `job ${jobId} is ${job.state}: it can no longer be changed; RetryJob makes a new one`,
        {
          metadata: { job_id: jobId, state: job.state },
        },
      );
    }
    return job;
  }
}

function requestOf(pause: Pause, definition: JobDefinition): PauseRequest {
  const { reason, stopsTimeouts, running, graceMs } = pause;
  if (!running) return { reason, stopsTimeouts };
  const childGraceMs = isRecorded(definition) ? (graceMs ?? null) : undefined;
  return { reason, stopsTimeouts, graceMs: graceMs ?? definition.cancelGraceMs, childGraceMs };
}

function refusalOf(refusal: PauseRefusal | GiveUpRefusal, run: OpenRun): EngineError {
  const metadata = { job_id: run.jobId, state: run.state };
  switch (refusal) {
    case 'NOT_PAUSED':
      return new EngineError(
        'JOB_NOT_FAILED',
        `job ${run.jobId} is ${run.state}: FailJob ends a job that is PAUSED after an attempt that failed; CancelJob ends any open job`,
        { metadata },
      );
    case 'NOT_FAILED':
      return new EngineError(
        'JOB_NOT_FAILED',
        `the last attempt of job ${run.jobId} has not failed, so there is no failure to end it with; CancelJob ends it`,
        { metadata },
      );
    case 'NOT_WAITING':
      return new EngineError(
        'JOB_NOT_WAITING',
        `job ${run.jobId} is ${run.state}: only a waiting job can be paused, resumed or updated; PauseJob with running also stops a job that runs, and a workflow or a batch that has begun; CancelJob stops it for good`,
        { metadata },
      );
    case 'EXPIRY_PASSED':
      return new EngineError('INVALID_FIELD', 'expire_time has passed already; CancelJob ends the job at once', {
        field: 'expire_time',
      });
    case 'RUN_TIME_AFTER_EXPIRY':
      return new EngineError(
        'INVALID_FIELD',
        'run_time is later than the time by which the job must start or end (expire_time, queue timeout, total timeout)',
        {
          field: 'run_time',
        },
      );
  }
}
