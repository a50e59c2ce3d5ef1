/** Clients of waits and dependencies: their definitions, submissions and requests. */
import { create } from '@bufbuild/protobuf';
import {
  ApplyJobDefinitionRequestSchema,
  JobDefinitionService,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import {
  GetJobRequestSchema,
  JobService,
  SubmitJobsRequestSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { EPOCH_MS } from '../../../server/tools/simulate/sim-postgres.ts';
import { linkDefinitions } from '../scenario/definitions.ts';
import type { OwnLinks } from '../scenario/own-links.ts';
import type { LinkSubmission, LinkSubmit } from './link-submit.ts';
import { type Caller, readOf, timestampFromMs } from './sim-caller.ts';
import { SimNet } from './sim-net.ts';
import { SimOperator } from './sim-operator.ts';
import { SimWaits } from './sim-waits.ts';
import { requestId } from './sim-worker.ts';

export class SimLinks {
  readonly #caller: Caller;
  readonly #operator: SimOperator;
  readonly #known: Map<string, string>;
  readonly #jobs: string[] = [];

  /** `known`: ids of workflows, by their names; those of its own jobs are added. */
  constructor(caller: Caller, known: Map<string, string>) {
    this.#caller = caller;
    this.#operator = new SimOperator(caller);
    this.#known = known;
  }

  async define(): Promise<void> {
    for (const definition of linkDefinitions) {
      const request = create(ApplyJobDefinitionRequestSchema, { definition });
      await this.#caller.insist(JobDefinitionService.method.applyJobDefinition, request);
    }
  }

  /** Call after the definitions exist. */
  begin({ waits, net, families }: OwnLinks): void {
    const submit: LinkSubmit = (job) => this.#submit(job);
    new SimWaits(this.#caller, submit).begin(waits);
    new SimNet(this.#caller, submit, this.#known).begin(net);
    for (const { name, at, script, acts } of families)
      this.#caller.later(at, () => this.#submit({ name, definition: 'parent', input: script, acts }));
  }

  /** Reads all of them after everything has ended. */
  readAll(): void {
    for (const jobId of this.#jobs) void this.#caller.track(this.#read(jobId));
  }

  async #read(jobId: string): Promise<void> {
    const beganMs = this.#caller.virtualNow();
    const { job } = await this.#caller.insist(JobService.method.getJob, create(GetJobRequestSchema, { jobId }));
    if (job) this.#caller.history.log('client', 'read', readOf(job, beganMs));
  }

  async #submit(job: LinkSubmission): Promise<string> {
    const { history, random } = this.#caller;
    const { name, definition, input, delayMs, expireMs, dependencies = [], acts } = job;
    const owner = `${name}.0`;
    const data = new TextEncoder().encode(JSON.stringify({ ...input, owner }));
    const now = EPOCH_MS + this.#caller.virtualNow();
    const planned = {
      ...{ definition, input: { data, contentType: 'application/json' }, dependsOn: [...dependencies] },
      ...(delayMs === undefined ? {} : { start: { case: 'delay' as const, value: durationFromMs(delayMs) } }),
      ...(expireMs === undefined ? {} : { expireTime: timestampFromMs(now + (delayMs ?? 0) + expireMs) }),
    };
    const request = create(SubmitJobsRequestSchema, { jobs: [planned], requestId: requestId(random) });
    history.log('client', 'submit', { call: name, request: request.requestId, keys: '', jobs: 1 });
    const { jobs } = await this.#caller.insist(JobService.method.submitJobs, request);
    const [{ jobId, existing } = { jobId: '', existing: false }] = jobs;
    history.log('client', 'submitted', { job: jobId, existing, owner });
    this.#known.set(name, jobId);
    this.#jobs.push(jobId);
    this.#operator.attendTo(jobId, acts);
    return jobId;
  }
}
