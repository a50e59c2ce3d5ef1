/** Clients: submit, repeat what they do not know the outcome of, cancel, wait; what they are told is on record. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { Code, MusterError } from '../../../sdk/typescript/src/error.ts';
import type { JobDefinition } from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import {
  ApplyJobDefinitionRequestSchema,
  JobDefinitionService,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_service_pb.ts';
import { type Job, JobState, type JobSubmissionSchema } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  CancelJobRequestSchema,
  GetJobRequestSchema,
  JobService,
  SubmitJobsRequestSchema,
  WaitJobRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';
import { EPOCH_MS } from '../database/sim-postgres.ts';
import type { Rpc } from '../network/sim-rpc.ts';
import { definitions } from '../scenario/definitions.ts';
import type { CancelPlan, PlannedCall, PlannedJob } from '../scenario/workload.ts';
import { encodeScript } from './handler-script.ts';
import { requestId } from './sim-worker.ts';

const TIMEOUT_MS = 3_000;
const TERMINAL = JobState.SUCCEEDED;
/** What may have happened all the same. */
const unknownOutcomes: readonly number[] = [
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.ABORTED,
  Code.RESOURCE_EXHAUSTED,
];

export class SimClient {
  readonly #rpc: Rpc;
  readonly #process: Process;
  readonly #history: History;
  readonly #virtualNow: () => number;
  /** Cancels that wait for their job to be assigned or started. */
  readonly #triggers = new Map<string, CancelPlan>();
  readonly #accepted = new Set<string>();
  #underWay = 0;
  #planned = 0;

  constructor(parts: { rpc: Rpc; process: Process; history: History; virtualNow: () => number }) {
    this.#rpc = parts.rpc;
    this.#process = parts.process;
    this.#history = parts.history;
    this.#virtualNow = parts.virtualNow;
  }

  /** Nothing is planned and no call is under way. */
  get idle(): boolean {
    return this.#underWay === 0 && this.#planned === 0;
  }

  async begin(calls: readonly PlannedCall[], newVersions: readonly number[]): Promise<void> {
    this.#planned = calls.length;
    for (const definition of definitions) await this.#apply(definition);
    for (const at of newVersions) this.#process.after(at, () => void this.#track(this.#applyAnew()));
    for (const call of calls) {
      this.#process.after(call.at, () => {
        this.#planned--;
        void this.#track(this.#submit(call));
      });
    }
  }

  /** Something has happened to a job that a cancel may wait for. */
  saw(when: 'assigned' | 'started', jobId: string): void {
    const plan = this.#triggers.get(jobId);
    if (plan?.when !== when) return;
    this.#triggers.delete(jobId);
    this.#process.after(plan.ms, () => void this.#track(this.#cancel(jobId)));
  }

  /** Reads every job that was accepted once more. */
  readAll(): void {
    for (const jobId of this.#accepted) void this.#track(this.#read(jobId));
  }

  async #apply(definition: JobDefinition): Promise<void> {
    const request = create(ApplyJobDefinitionRequestSchema, { definition });
    const method = JobDefinitionService.method.applyJobDefinition;
    await this.#insist(() => this.#rpc.call(this.#process, method, request, TIMEOUT_MS));
  }

  /** A new version of one of the definitions: new jobs wait in another lane. */
  async #applyAnew(): Promise<void> {
    const definition = this.#process.random.pick(definitions);
    const description = `since ${this.#virtualNow()}`;
    await this.#apply({ ...definition, description });
    this.#history.count('new version of a definition');
  }

  async #read(jobId: string): Promise<void> {
    const { job } = await this.#insist(() =>
      this.#rpc.call(this.#process, JobService.method.getJob, create(GetJobRequestSchema, { jobId }), TIMEOUT_MS),
    );
    if (job) this.#sawJob(job);
  }

  async #track(work: Promise<unknown>): Promise<void> {
    this.#underWay++;
    await work.catch((error: unknown) =>
      this.#history.violate('clients get answers', (error as Error).stack ?? String(error)),
    );
    this.#underWay--;
  }

  async #submit(call: PlannedCall): Promise<void> {
    const request = create(SubmitJobsRequestSchema, {
      jobs: call.jobs.map((job) => this.#submission(job)),
      requestId: call.hasRequestId ? requestId(this.#process.random) : '',
    });
    const keys = call.jobs.map((job) => job.key ?? '').join(',');
    const safe = call.hasRequestId || call.jobs.every((job) => job.key !== undefined);
    this.#history.log('client', 'submit', {
      call: call.name,
      request: request.requestId,
      keys,
      jobs: call.jobs.length,
    });
    const send = () => this.#rpc.call(this.#process, JobService.method.submitJobs, request, TIMEOUT_MS);
    try {
      const { jobs } = safe ? await this.#insist(send) : await send();
      jobs.forEach(({ jobId, existing }, i) => {
        this.#history.log('client', 'submitted', { job: jobId, existing, owner: call.jobs[i]?.script.owner });
        this.#accepted.add(jobId);
        this.#follow(jobId, call.jobs[i] as PlannedJob);
      });
    } catch (error) {
      const { code, reason } = error as MusterError;
      if (!(error instanceof MusterError) || (reason !== 'IDEMPOTENCY_CONFLICT' && !unknownOutcomes.includes(code)))
        throw error;
      this.#history.log('client', 'not submitted', { reason, code, keys });
    }
  }

  #submission(job: PlannedJob): MessageInitShape<typeof JobSubmissionSchema> {
    const expireAt =
      job.expireMs === undefined ? undefined : EPOCH_MS + this.#virtualNow() + (job.delayMs ?? 0) + job.expireMs;
    return {
      definition: job.definition,
      input: { data: encodeScript(job.script), contentType: 'application/json' },
      idempotencyKey: job.key ?? '',
      priority: job.priority,
      ...(job.delayMs === undefined ? {} : { start: { case: 'delay' as const, value: durationFromMs(job.delayMs) } }),
      ...(expireAt === undefined
        ? {}
        : { expireTime: { seconds: BigInt(Math.floor(expireAt / 1000)), nanos: Math.floor(expireAt % 1000) * 1e6 } }),
    };
  }

  #follow(jobId: string, plan: PlannedJob): void {
    if (plan.cancel?.when === 'later') this.#process.after(plan.cancel.ms, () => void this.#track(this.#cancel(jobId)));
    else if (plan.cancel) this.#triggers.set(jobId, plan.cancel);
    if (plan.waits) void this.#track(this.#wait(jobId));
  }

  async #cancel(jobId: string): Promise<void> {
    const request = create(CancelJobRequestSchema, { jobId, reason: 'as planned' });
    this.#history.log('client', 'cancel', { job: jobId });
    try {
      const { job } = await this.#insist(() =>
        this.#rpc.call(this.#process, JobService.method.cancelJob, request, TIMEOUT_MS),
      );
      this.#history.log('client', 'cancelled', { job: jobId, state: job?.state });
      if (job) this.#sawJob(job);
    } catch (error) {
      if ((error as MusterError).reason !== 'JOB_ENDED') throw error;
      this.#history.log('client', 'too late to cancel', { job: jobId });
    }
  }

  async #wait(jobId: string): Promise<void> {
    const request = create(WaitJobRequestSchema, { jobId, timeout: durationFromMs(1_500) });
    const { job } = await this.#insist(() =>
      this.#rpc.call(this.#process, JobService.method.waitJob, request, TIMEOUT_MS),
    );
    if (job) this.#sawJob(job);
    if (job && job.state < TERMINAL) await this.#wait(jobId);
  }

  #sawJob(job: Job): void {
    const text = job.outcome.case === 'result' ? new TextDecoder().decode(job.outcome.value.data) : '';
    this.#history.log('client', 'read', { job: job.jobId, state: job.state, attempt: job.attempt, text });
  }

  /** The same call again, as often as it takes, as long as nobody knows what became of it. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof MusterError) || !unknownOutcomes.includes(error.code)) throw error;
        this.#history.count('client asked again');
        await new Promise<void>((resolve) => {
          this.#process.after(Math.min(1_000, 30 * 2 ** tries) * this.#process.random.between(0.5, 1), resolve);
        });
      }
    }
  }
}
