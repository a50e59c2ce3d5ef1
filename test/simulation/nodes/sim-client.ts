/** Clients: submit, repeat calls with unknown outcomes, wait, read; their answers are recorded. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import type { MusterError } from '../../../sdk/typescript/src/error.ts';
import type { JobDefinition } from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import {
  ApplyJobDefinitionRequestSchema,
  JobDefinitionService,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_service_pb.ts';
import {
  IdempotencyConflictPolicy,
  JobState,
  type JobSubmissionSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  GetJobRequestSchema,
  JobService,
  SubmitJobsRequestSchema,
  WaitJobRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';
import { StickyMode } from '../../../sdk/typescript/src/gen/muster/v1/placement_pb.ts';
import { EPOCH_MS } from '../../../server/tools/simulate/sim-postgres.ts';
import { definitions } from '../scenario/definitions.ts';
import type { PlannedCall, PlannedJob } from '../scenario/workload.ts';
import { encodeScript } from './handler-script.ts';
import { type Caller, isUnknown, readOf, refusalIn, timestampFromMs } from './sim-caller.ts';
import type { SimOperator } from './sim-operator.ts';
import { requestId } from './sim-worker.ts';

const TERMINAL = JobState.SUCCEEDED;

export class SimClient {
  readonly #caller: Caller;
  readonly #operator: SimOperator;
  readonly #accepted = new Set<string>();
  /** The last job of each definition that a client has seen assigned. */
  readonly #assigned = new Map<string, string>();

  constructor(caller: Caller, operator: SimOperator) {
    this.#caller = caller;
    this.#operator = operator;
  }

  async begin(calls: readonly PlannedCall[], newVersions: readonly number[]): Promise<void> {
    for (const definition of definitions) await this.#apply(definition);
    for (const at of newVersions) this.#caller.later(at, () => this.#applyAnew());
    for (const call of calls) this.#caller.later(call.at, () => this.#submit(call));
  }

  /** Reads every accepted job once more. */
  readAll(): void {
    for (const jobId of this.#accepted) void this.#caller.track(this.#read(jobId));
  }

  async #apply(definition: JobDefinition): Promise<void> {
    const request = create(ApplyJobDefinitionRequestSchema, { definition });
    await this.#caller.insist(JobDefinitionService.method.applyJobDefinition, request);
  }

  /** Applies a new version of one of the definitions: new jobs wait in another lane. */
  async #applyAnew(): Promise<void> {
    const definition = this.#caller.random.pick(definitions);
    const description = `since ${this.#caller.virtualNow()}`;
    await this.#apply({ ...definition, description });
    this.#caller.history.count('new version of a definition');
  }

  async #read(jobId: string): Promise<void> {
    const beganMs = this.#caller.virtualNow();
    const { job } = await this.#caller.insist(JobService.method.getJob, create(GetJobRequestSchema, { jobId }));
    if (job) this.#caller.history.log('client', 'read', readOf(job, beganMs));
  }

  async #submit(call: PlannedCall): Promise<void> {
    const { history, random } = this.#caller;
    const request = create(SubmitJobsRequestSchema, {
      jobs: call.jobs.map((job) => this.#submission(job)),
      requestId: call.hasRequestId ? requestId(random) : '',
    });
    const keys = call.jobs.map((job) => job.key ?? '').join(',');
    const safe = call.hasRequestId || call.jobs.every((job) => job.key !== undefined);
    history.log('client', 'submit', { call: call.name, request: request.requestId, keys, jobs: call.jobs.length });
    const method = JobService.method.submitJobs;
    try {
      const { jobs } = await (safe ? this.#caller.insist(method, request) : this.#caller.call(method, request));
      jobs.forEach(({ jobId, existing }, i) => {
        const { owner, matching } = call.jobs[i]?.script ?? {};
        history.log('client', 'submitted', { job: jobId, existing, owner, matching });
        this.#accepted.add(jobId);
        this.#follow(jobId, call.jobs[i] as PlannedJob);
      });
    } catch (error) {
      if (!isUnknown(error)) refusalIn(error, ['IDEMPOTENCY_CONFLICT']);
      const { code, reason } = error as MusterError;
      history.log('client', 'not submitted', { reason, code, keys });
    }
  }

  #submission(job: PlannedJob): MessageInitShape<typeof JobSubmissionSchema> {
    const earlier = job.sticky && this.#assigned.get(job.definition);
    const mode = job.sticky === 'HARD' ? StickyMode.HARD : StickyMode.SOFT;
    const labels = {
      ...(job.batch ? { batch: job.batch } : {}),
      ...(earlier && job.sticky === 'HARD' ? { 'sticky-to': earlier } : {}),
    };
    const now = EPOCH_MS + this.#caller.virtualNow();
    const expireAt = job.expireMs === undefined ? undefined : now + (job.delayMs ?? 0) + job.expireMs;
    return {
      definition: job.definition,
      input: { data: encodeScript(job.script), contentType: 'application/json' },
      idempotencyKey: job.key ?? '',
      ...(job.replaces ? { idempotencyConflictPolicy: IdempotencyConflictPolicy.REPLACE } : {}),
      labels,
      ...(earlier ? { sticky: { jobId: earlier, mode } } : {}),
      priority: job.priority,
      ...(job.delayMs === undefined ? {} : { start: { case: 'delay' as const, value: durationFromMs(job.delayMs) } }),
      ...(expireAt === undefined ? {} : { expireTime: timestampFromMs(expireAt) }),
    };
  }

  #follow(jobId: string, plan: PlannedJob): void {
    this.#operator.attendTo(jobId, plan.acts);
    if (plan.waits || plan.acts.some((act) => act.when === 'ended')) void this.#caller.track(this.#wait(jobId));
  }

  async #wait(jobId: string): Promise<void> {
    const request = create(WaitJobRequestSchema, { jobId, timeout: durationFromMs(1_500) });
    const beganMs = this.#caller.virtualNow();
    const { job } = await this.#caller.insist(JobService.method.waitJob, request);
    if (job) this.#caller.history.log('client', 'read', readOf(job, beganMs));
    if (job && job.attempts.length > 0) this.#assigned.set(job.definition, jobId);
    if (job && job.state < TERMINAL) await this.#wait(jobId);
    else this.#operator.saw('ended', jobId);
  }
}
