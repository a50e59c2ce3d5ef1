/** Clients with workflows and batches: they define, submit, fill, seal, change and read them. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { BatchSchema } from '../../../sdk/typescript/src/gen/muster/v1/batch_pb.ts';
import {
  BatchService,
  CreateBatchRequestSchema,
  GetBatchRequestSchema,
  SealBatchRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/batch_service_pb.ts';
import {
  ApplyJobDefinitionRequestSchema,
  JobDefinitionService,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_service_pb.ts';
import { JobState } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  JobService,
  ListJobsRequestSchema,
  type SubmitJobsRequest,
  SubmitJobsRequestSchema,
  WaitJobRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';
import {
  ListWorkflowStepsRequestSchema,
  WorkflowService,
} from '../../../sdk/typescript/src/gen/muster/v1/workflow_service_pb.ts';
import type { PlannedBatch, PlannedFill } from '../scenario/batches.ts';
import type { PlannedFlow, SubmittedFlow } from '../scenario/flows.ts';
import { flowDefinition, flowInput } from './flow-definitions.ts';
import { encodeScript } from './handler-script.ts';
import { type Caller, refusalIn } from './sim-caller.ts';
import { SimOperator } from './sim-operator.ts';
import { requestId } from './sim-worker.ts';

const { submitJobs, waitJob, listJobs } = JobService.method;
const { createBatch, getBatch, sealBatch } = BatchService.method;
const CLOSED = ['BATCH_SEALED', 'BATCH_CANCELLED', 'BATCH_ENDED'];
const JSON_TYPE = 'application/json';

export class SimFlows {
  readonly #caller: Caller;
  readonly #operator: SimOperator;
  readonly #flows: string[] = [];
  readonly #batches: string[] = [];
  readonly #known: Map<string, string>;

  /** `known`: gets the ids of workflows, by their names. */
  constructor(caller: Caller, known: Map<string, string>) {
    this.#caller = caller;
    this.#known = known;
    this.#operator = new SimOperator(caller);
  }

  /** The definitions of the steps exist by then. */
  async begin(flows: readonly SubmittedFlow[], batches: readonly PlannedBatch[]): Promise<void> {
    for (const one of flows) {
      await this.#apply(one.flow);
      this.#caller.later(one.at, () => this.#submitFlow(one));
    }
    for (const batch of batches) this.#caller.later(batch.at, () => this.#make(batch));
  }

  /** Reads all of them after everything has ended. */
  readAll(): void {
    for (const jobId of this.#flows) void this.#caller.track(this.#readFlow(jobId));
    for (const jobId of this.#batches) void this.#caller.track(this.#readBatch(jobId));
  }

  /** Applies inner ones first. */
  async #apply(flow: PlannedFlow): Promise<void> {
    for (const { inner } of flow.steps) if (inner) await this.#apply(inner);
    const request = create(ApplyJobDefinitionRequestSchema, { definition: flowDefinition(flow) });
    await this.#caller.insist(JobDefinitionService.method.applyJobDefinition, request);
  }

  async #submitFlow({ flow, delayMs, acts, meddleMs, retries }: SubmittedFlow): Promise<void> {
    const owner = `${flow.name}.0`;
    const data = new TextEncoder().encode(JSON.stringify({ owner, ...flowInput(flow) }));
    const start = delayMs === undefined ? {} : { start: { case: 'delay' as const, value: durationFromMs(delayMs) } };
    const request = create(SubmitJobsRequestSchema, {
      jobs: [{ definition: flow.name, input: { data, contentType: JSON_TYPE }, ...start }],
      requestId: requestId(this.#caller.random),
    });
    const [jobId = ''] = await this.#submit(flow.name, request, [owner]);
    this.#flows.push(jobId);
    this.#known.set(flow.name, jobId);
    this.#operator.attendTo(jobId, acts);
    if (meddleMs !== undefined) this.#caller.later(meddleMs, () => this.#meddle(jobId));
    if (retries) void this.#caller.track(this.#retryUnlessGood(jobId));
  }

  async #submit(call: string, request: SubmitJobsRequest, owners: readonly string[]): Promise<string[]> {
    const { history } = this.#caller;
    history.log('client', 'submit', { call, request: request.requestId, keys: '', jobs: request.jobs.length });
    const { jobs } = await this.#caller.insist(submitJobs, request);
    jobs.forEach(({ jobId, existing }, i) => {
      history.log('client', 'submitted', { job: jobId, existing, owner: owners[i] });
    });
    return jobs.map(({ jobId }) => jobId);
  }

  /** Cancels a job of a step or a member, as a user without knowledge of its parent. */
  async #meddle(parentJobId: string): Promise<void> {
    const request = create(ListJobsRequestSchema, { pageSize: 20, filter: { parentJobId } });
    const { jobs } = await this.#caller.insist(listJobs, request);
    const open = jobs.filter(({ state }) => state < JobState.SUCCEEDED);
    if (open.length === 0) return;
    this.#caller.history.count('somebody cancelled a job of a workflow or a batch');
    this.#operator.attendTo(this.#caller.random.pick(open).jobId, [{ kind: 'cancel', when: 'later', ms: 0 }]);
  }

  async #retryUnlessGood(jobId: string): Promise<void> {
    const request = create(WaitJobRequestSchema, { jobId, timeout: durationFromMs(1_500) });
    const { job } = await this.#caller.insist(waitJob, request);
    if (!job || job.state < JobState.SUCCEEDED) return this.#retryUnlessGood(jobId);
    if (job.state !== JobState.SUCCEEDED)
      this.#operator.attendTo(jobId, [{ kind: 'retry', when: 'later', ms: this.#caller.random.between(0, 50) }]);
  }

  async #make(plan: PlannedBatch): Promise<void> {
    const { history, random } = this.#caller;
    const { name, policy, callback } = plan;
    const batch = create(BatchSchema, {
      description: name,
      tolerateFailed: policy === 'ANY',
      ...(typeof policy === 'number' ? { maxFailed: BigInt(policy) } : {}),
      ...(callback
        ? { callback: { definition: 'plain', input: { data: encodeScript(callback), contentType: JSON_TYPE } } }
        : {}),
    });
    const request = create(CreateBatchRequestSchema, { batch, requestId: requestId(random) });
    const made = await this.#caller.insist(createBatch, request);
    const jobId = made.batch?.job?.jobId ?? '';
    history.log('client', 'batch made', { job: jobId, name });
    this.#batches.push(jobId);
    for (const fill of plan.fills) this.#caller.later(fill.afterMs, () => this.#fill(jobId, fill));
    this.#caller.later(plan.sealMs, () => this.#seal(jobId));
    if (plan.meddleMs !== undefined) this.#caller.later(plan.meddleMs, () => this.#meddle(jobId));
    this.#operator.attendTo(jobId, plan.acts);
    if (plan.cancelMs !== undefined)
      this.#operator.attendTo(jobId, [{ kind: 'cancel', when: 'later', ms: plan.cancelMs }]);
  }

  async #fill(batchJobId: string, { name, members }: PlannedFill): Promise<void> {
    const request = create(SubmitJobsRequestSchema, {
      jobs: members.map(({ definition, script, delayMs }) => ({
        definition,
        input: { data: encodeScript(script), contentType: JSON_TYPE },
        ...(delayMs === undefined ? {} : { start: { case: 'delay' as const, value: durationFromMs(delayMs) } }),
      })),
      batchJobId,
      requestId: requestId(this.#caller.random),
    });
    try {
      await this.#submit(
        name,
        request,
        members.map(({ script }) => script.owner),
      );
    } catch (error) {
      const reason = refusalIn(error, CLOSED);
      this.#caller.history.log('client', 'members refused', { job: batchJobId, reason });
    }
  }

  async #seal(jobId: string): Promise<void> {
    const request = create(SealBatchRequestSchema, { jobId, requestId: requestId(this.#caller.random) });
    const { batch } = await this.#caller.insist(sealBatch, request);
    this.#caller.history.log('client', 'batch sealed', { job: jobId, sealed: batch?.sealed });
  }

  async #readFlow(jobId: string): Promise<void> {
    const request = create(ListWorkflowStepsRequestSchema, { jobId, pageSize: 100 });
    const { steps } = await this.#caller.insist(WorkflowService.method.listWorkflowSteps, request);
    const states = steps.map(({ state }) => state).join();
    this.#caller.history.log('client', 'steps read', { job: jobId, states });
  }

  async #readBatch(jobId: string): Promise<void> {
    const { batch } = await this.#caller.insist(getBatch, create(GetBatchRequestSchema, { jobId }));
    const { members, open, succeeded, failed, cancelled, expired, skipped } = batch?.counts ?? {};
    const counts = [members, open, succeeded, failed, cancelled, expired, skipped].join();
    const { callbackJobId, callbackError } = batch ?? {};
    this.#caller.history.log('client', 'batch read', { job: jobId, counts, callbackJobId, callbackError });
  }
}
