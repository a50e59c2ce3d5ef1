/** Operators of jobs: they cancel, pause, change, retry and erase them, one at a time or all that match a filter. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { type Job, JobState } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  CancelJobRequestSchema,
  CancelJobsRequestSchema,
  EraseJobRequestSchema,
  FailJobRequestSchema,
  JobService,
  ListJobsRequestSchema,
  PauseJobRequestSchema,
  ResumeJobRequestSchema,
  RetryJobRequestSchema,
  RetryJobsRequestSchema,
  UpdateJobRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';
import { EPOCH_MS } from '../../../server/tools/simulate/sim-postgres.ts';
import type { ActKind, PlannedAct, PlannedSweep } from '../scenario/acts.ts';
import { type Caller, readOf, refusalIn, timestampFromMs } from './sim-caller.ts';
import { requestId } from './sim-worker.ts';

const { cancelJob, pauseJob, resumeJob, failJob, updateJob, retryJob, eraseJob, listJobs, cancelJobs, retryJobs } =
  JobService.method;

/** Share of the jobs without a further attempt that are not resumed. */
const GIVES_UP = 0.4;

/** A few jobs are cancelled with a grace period of their own, by their ids. */
function graceOf(jobId: string): { readonly grace?: ReturnType<typeof durationFromMs> } {
  const ms = { 0: 0, 1: 0, 2: 20 }[jobId.at(-1) ?? ''];
  return ms === undefined ? {} : { grace: durationFromMs(ms) };
}

export class SimOperator {
  readonly #caller: Caller;
  /** Acts that wait for their job to be assigned, started or ended. */
  readonly #triggers = new Map<string, PlannedAct[]>();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  begin(sweeps: readonly PlannedSweep[], roundMs: number): void {
    for (const sweep of sweeps) this.#caller.later(sweep.at, () => this.#sweep(sweep));
    this.#caller.every(roundMs, () => this.#resumePaused());
  }

  attendTo(jobId: string, acts: readonly PlannedAct[]): void {
    for (const act of acts) {
      if (act.when === 'later') this.#caller.later(act.ms, () => this.#act(jobId, act));
      else this.#triggers.set(jobId, [...(this.#triggers.get(jobId) ?? []), act]);
    }
  }

  /** Triggers the acts that wait for this change of a job. */
  saw(when: PlannedAct['when'], jobId: string): void {
    const acts = this.#triggers.get(jobId);
    if (!acts) return;
    this.#triggers.set(
      jobId,
      acts.filter((act) => act.when !== when),
    );
    for (const act of acts) if (act.when === when) this.#caller.later(act.ms, () => this.#act(jobId, act));
  }

  #act(jobId: string, act: PlannedAct): Promise<void> {
    const acts: Record<ActKind, () => Promise<void>> = {
      cancel: () => this.#cancel(jobId),
      suspend: () => this.#hold('suspended', jobId, ['JOB_ENDED', 'JOB_NOT_WAITING'], act.graceMs),
      pause: () => this.#hold('paused', jobId, ['JOB_ENDED', 'JOB_NOT_WAITING']),
      resume: () => this.#hold('resumed', jobId, ['JOB_ENDED']),
      update: () => this.#update(jobId, act.aheadMs),
      retry: () => this.#retry(jobId),
      erase: () => this.#erase(jobId),
    };
    return acts[act.kind]();
  }

  async #cancel(jobId: string): Promise<void> {
    const { history } = this.#caller;
    const { grace } = graceOf(jobId);
    history.log('client', 'cancel', { job: jobId, hastens: grace !== undefined });
    const request = create(CancelJobRequestSchema, { jobId, reason: 'as planned', ...(grace ? { grace } : {}) });
    const job = await this.#ask(this.#caller.insist(cancelJob, request), ['JOB_ENDED']);
    if (job) history.log('client', 'cancelled', { job: jobId, state: job.state });
    else history.log('client', 'too late to cancel', { job: jobId });
  }

  async #hold(
    what: 'suspended' | 'paused' | 'resumed',
    jobId: string,
    refusals: readonly string[],
    graceMs?: number,
  ): Promise<void> {
    const { history } = this.#caller;
    const id = history.nextCall();
    history.log('client', what === 'resumed' ? 'job resume asked' : 'job pause asked', { job: jobId, call: id });
    const running = graceMs === undefined ? {} : { running: true, grace: durationFromMs(graceMs) };
    const call =
      what === 'resumed'
        ? this.#caller.insist(resumeJob, create(ResumeJobRequestSchema, { jobId }))
        : this.#caller.insist(pauseJob, create(PauseJobRequestSchema, { jobId, reason: 'as planned', ...running }));
    const job = await this.#ask(call, refusals);
    if (job) history.log('client', what, { job: jobId, state: job.state, call: id });
    else this.#caller.history.count(`too late to be ${what}`);
  }

  async #update(jobId: string, aheadMs: number | undefined): Promise<void> {
    const runTime = aheadMs === undefined ? undefined : EPOCH_MS + this.#caller.virtualNow() + aheadMs;
    const request = create(UpdateJobRequestSchema, {
      jobId,
      priority: this.#caller.random.int(-20, 20),
      ...(runTime === undefined ? {} : { runTime: timestampFromMs(runTime) }),
    });
    const job = await this.#ask(this.#caller.insist(updateJob, request), [
      'JOB_ENDED',
      'JOB_NOT_WAITING',
      'INVALID_FIELD',
    ]);
    this.#caller.history.count(job ? 'updated' : 'too late to be updated');
  }

  async #retry(jobId: string): Promise<void> {
    const request = create(RetryJobRequestSchema, { jobId, requestId: requestId(this.#caller.random) });
    this.#caller.history.log('client', 'retry', { job: jobId });
    const job = await this.#ask(this.#caller.insist(retryJob, request), ['JOB_ERASED', 'DUPLICATE_JOB']);
    if (job) this.#caller.history.log('client', 'retried', { job: jobId, as: job.jobId });
  }

  async #erase(jobId: string): Promise<void> {
    const request = create(EraseJobRequestSchema, { jobId, reason: 'as planned' });
    // Refused while the job's clean-up, which has a copy of its input, is open.
    const job = await this.#ask(this.#caller.insist(eraseJob, request), ['JOB_NOT_ENDED']);
    if (job) this.#caller.history.log('client', 'erased', { job: jobId });
  }

  /** The job in the answer, which is recorded as read; undefined if the call was refused for one of the reasons. */
  async #ask(call: Promise<{ job?: Job | undefined }>, refusals: readonly string[]): Promise<Job | undefined> {
    const beganMs = this.#caller.virtualNow();
    try {
      const { job } = await call;
      if (job) this.#caller.history.log('client', 'read', readOf(job, beganMs));
      return job;
    } catch (error) {
      this.#caller.history.count(`refused: ${refusalIn(error, refusals)}`);
      return undefined;
    }
  }

  /** Page by page; only jobs from before its start are certain to be included. */
  async #sweep({ kind, batch }: PlannedSweep): Promise<void> {
    const { history } = this.#caller;
    const call = history.nextCall();
    history.log('client', 'sweep', { kind, batch, call });
    const filter = { labels: { batch } };
    let [pageToken, cancelled] = ['', 0];
    do {
      const request = { filter, pageToken };
      if (kind === 'cancelMany') {
        const page = await this.#caller.insist(cancelJobs, create(CancelJobsRequestSchema, request));
        pageToken = page.nextPageToken;
        cancelled += page.cancelledCount;
      } else {
        const page = await this.#caller.insist(retryJobs, create(RetryJobsRequestSchema, request));
        pageToken = page.nextPageToken;
        page.retriedJobIds.forEach((job, i) => {
          history.log('client', 'redriven', { job, as: page.jobIds[i] });
        });
      }
    } while (pageToken !== '');
    history.count('cancelled by a filter', cancelled);
    history.log('client', 'swept', { kind, batch, call });
  }

  /** Resumes paused jobs, whether an operator forgot them or a rule paused them; not those paused with their workflow. */
  async #resumePaused(): Promise<void> {
    const { jobs } = await this.#caller.insist(
      listJobs,
      create(ListJobsRequestSchema, { pageSize: 50, filter: { states: [JobState.PAUSED] } }),
    );
    for (const { jobId, stateReason, exhausted } of jobs) {
      if (stateReason.includes('to which it belongs') || !this.#caller.random.chance(0.6)) continue;
      if (exhausted && this.#caller.random.chance(GIVES_UP)) await this.#fail(jobId);
      else await this.#hold('resumed', jobId, ['JOB_ENDED']);
    }
  }

  async #fail(jobId: string): Promise<void> {
    const request = create(FailJobRequestSchema, { jobId, requestId: requestId(this.#caller.random) });
    const job = await this.#ask(this.#caller.insist(failJob, request), ['JOB_ENDED', 'JOB_NOT_FAILED']);
    this.#caller.history.count(job ? 'failed on request' : 'too late to be failed');
  }
}
