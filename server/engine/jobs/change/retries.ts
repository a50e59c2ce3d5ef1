/** Retries ended jobs: makes new ones of the same definition version, with the same input and conditions. */

import { isReserved } from '../../../domain/definitions/reserved-names.ts';
import { parseDemands } from '../../../domain/dispatch/placement.ts';
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import { derivedUuid, hashOf } from '../../base/derived-ids.ts';
import { EngineError, type ErrorReason } from '../../base/errors.ts';
import { requestIdReused } from '../../base/requests.ts';
import type { EndedJob, JobView } from '../../ports/jobs.ts';
import type { KeptPage, RequestKey, Store } from '../../ports/store.ts';
import type { Submission } from '../../ports/submissions.ts';
import type { AskedRetry, WorkflowRetries } from '../../workflows/retries.ts';
import type { Submissions } from '../submit/submissions.ts';
import { jobNotFound } from './cancels.ts';
import { jobNotEnded } from './erasures.ts';

export interface RetriesParts {
  readonly store: Pick<Store, 'readEndedJobs' | 'readJob' | 'keepPage'>;
  readonly submissions: Submissions;
  readonly workflows: Pick<WorkflowRetries, 'manual'>;
}

/** The result of a redrive. */
export interface Redriven {
  /** In the order of `retriedJobIds`; empty if there was nothing to do. */
  readonly jobIds: readonly string[];
  readonly retriedJobIds: readonly string[];
  /** Number of jobs already retried, erased, of an archived definition, duplicates of another job, or of batches. */
  readonly skipped: number;
}

/** Bounds the inputs in memory at a time: 8 MiB. */
const JOBS_AT_ONCE = 16;

/** Errors of a single job, which must not keep the others from being retried. */
const passedOver: ReadonlySet<ErrorReason> = new Set(['DEFINITION_ARCHIVED', 'DUPLICATE_JOB', 'LIMIT_REACHED']);

export class Retries {
  readonly #parts: RetriesParts;

  constructor(parts: RetriesParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the new job. Throws JOB_NOT_FOUND, JOB_NOT_ENDED, JOB_ERASED, DEFINITION_ARCHIVED, DUPLICATE_JOB,
   * LIMIT_REACHED, QUEUE_FULL; NOT_A_WORKFLOW, STEP_NOT_FOUND or STEP_NOT_SKIPPABLE for steps that it is to skip.
   */
  async retry(namespace: string, jobId: string, requestId: string, asked: AskedRetry): Promise<JobView> {
    const { store } = this.#parts;
    const [ended] = await store.readEndedJobs(namespace, [jobId]);
    if (!ended) throw await this.#whyNot(namespace, jobId);
    if (ended.erased) {
      throw new EngineError('JOB_ERASED', `job ${jobId} was erased: its input is gone, so it can't be retried`, {
        metadata: { job_id: jobId },
      });
    }
    const made = await this.#submit(namespace, ended, requestId, 'RetryJob', asked);
    const job = await store.readJob(namespace, made.jobId);
    if (!job) throw jobNotFound(namespace, made.jobId);
    return job;
  }

  /**
   * The page that a redrive works on; for a repeat the first call's page, even if other jobs match now. Throws
   * REQUEST_ID_REUSED.
   */
  async pageOf(namespace: string, request: RequestKey | undefined, page: KeptPage): Promise<KeptPage> {
    if (!request) return page;
    const kept = await this.#parts.store.keepPage(namespace, request, page);
    if (kept === 'reused') throw requestIdReused();
    return kept;
  }

  /**
   * Retries each of these at most once, however many callers ask for it. At most 1,000. After QUEUE_FULL a repeat
   * continues.
   */
  async redrive(namespace: string, jobIds: readonly string[], validateOnly: boolean): Promise<Redriven> {
    const pairs: [retried: string, made: string][] = [];
    for (let at = 0; at < jobIds.length; at += JOBS_AT_ONCE) {
      const ended = await this.#parts.store.readEndedJobs(namespace, jobIds.slice(at, at + JOBS_AT_ONCE));
      const fit = ended.filter((job) => !job.erased && !job.retried && !isReserved(job.definition));
      const made = await Promise.all(fit.map((job) => this.#redriveOne(namespace, job, validateOnly)));
      fit.forEach((job, i) => {
        const jobId = made[i];
        if (jobId !== undefined) pairs.push([job.jobId, jobId]);
      });
    }
    return {
      jobIds: validateOnly ? [] : pairs.map(([, made]) => made),
      retriedJobIds: pairs.map(([retried]) => retried),
      skipped: jobIds.length - pairs.length,
    };
  }

  /**
   * Undefined: skipped. The request id is derived from the job's id, so two callers that both found the job without a
   * retry make only one.
   */
  async #redriveOne(namespace: string, job: EndedJob, validateOnly: boolean): Promise<string | undefined> {
    try {
      if (validateOnly) {
        await this.#parts.submissions.check(namespace, submissionOf(job), 'job');
        return job.jobId;
      }
      const made = await this.#submit(namespace, job, derivedUuid(`redrive/${job.jobId}`), 'RetryJobs', asItWas);
      return made.existing ? undefined : made.jobId;
    } catch (error) {
      if (error instanceof EngineError && passedOver.has(error.reason)) return undefined;
      throw error;
    }
  }

  async #submit(namespace: string, job: EndedJob, requestId: string, method: string, asked: AskedRetry) {
    const manual = await this.#parts.workflows.manual(namespace, job, asked);
    const [made] = await this.#parts.submissions.submit({
      namespace,
      requestId,
      bodyHash: hashOf([`${method}/${job.jobId}`, ...asked.skipSteps, asked.reason].filter(Boolean).join('\n')),
      submissions: [submissionOf(job)],
      field: 'job_id',
      manual,
    });
    if (!made) throw new EngineError('INTERNAL', 'a job was stored and has no id');
    return made;
  }

  async #whyNot(namespace: string, jobId: string): Promise<EngineError> {
    const job = await this.#parts.store.readJob(namespace, jobId);
    if (!job) return jobNotFound(namespace, jobId);
    // It may have ended between the two reads.
    if (isTerminal(job.state))
      return new EngineError('CONFLICT', `job ${jobId} has just ended; try again`, { retryAfterMs: 50 });
    return jobNotEnded(jobId, job.state, 'cancel it first, or wait for its end');
  }
}

const asItWas: AskedRetry = { skipSteps: [], reason: '' };

/** Without key, times and trace context: these belong to the retried job alone. */
export function submissionOf(job: EndedJob): Submission {
  const { definition, definitionVersion, queue, input, labels, priority, retryPolicy, runTimeoutMs, jobId } = job;
  return {
    definition,
    definitionVersion,
    queue,
    input,
    labels,
    priority,
    retryPolicy,
    runTimeoutMs,
    fairnessKey: job.fairnessKey,
    demands: job.demands === undefined ? undefined : parseDemands(job.demands),
    retryOf: jobId,
    idempotencyKey: '',
    conflictPolicy: 'USE_EXISTING',
    traceparent: '',
    tracestate: '',
  };
}
