/** Shared helpers of the explanation tests. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { waitReasonName } from '@muster-jobs/sdk';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { Constraint, JobExplanation } from '@muster-jobs/sdk/gen/muster/v1/job_explanation_pb';
import type { WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { expect } from 'vitest';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { offerOf, type TestWorker } from '../base/test-worker.ts';
import type { World } from '../base/world.ts';

const { explainJob, submitJobs } = JobService.method;

export const idsOf = (assignments: readonly Assignment[]) => assignments.map(({ jobId }) => uuidFromBytes(jobId));
export const reasonsOf = ({ constraints }: JobExplanation) => constraints.map(({ reason }) => waitReasonName(reason));

export class Explaining {
  readonly #world: World;
  #queues = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async explain(jobId: string): Promise<JobExplanation> {
    const { explanation } = await this.#world.rpc.call(explainJob, { jobId });
    if (!explanation) throw new Error('an answer without an explanation');
    return explanation;
  }

  /** A definition with a queue of its own, out of the way of other tests' jobs and limits. */
  async define(changes: MessageInitShape<typeof JobDefinitionSchema> = {}) {
    const queue = `line-${++this.#queues}`;
    return { queue, definition: await this.#world.define({ queue, ...changes }) };
  }

  /** The job's constraint with this reason; it must be named in the sentences, and each one must say what to do. */
  async constraintOf(jobId: string, reason: WaitReason): Promise<Constraint> {
    const explanation = await this.explain(jobId);
    const found = explanation.constraints.find((constraint) => constraint.reason === reason);
    if (!found) throw new Error(`no ${waitReasonName(reason)} among ${reasonsOf(explanation)}`);
    expect(found.nextStep).not.toBe('');
    expect(explanation.summary).toContain(found.message);
    return found;
  }

  async submitMany(definition: string, count: number, changes: object = {}): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ definition, ...changes }));
    return (await this.#world.rpc.call(submitJobs, { jobs })).jobs.map(({ jobId }) => jobId);
  }

  /** A worker that holds `count` jobs of the definition, all submitted here, and has no more slots. */
  async hold(definition: string, count: number): Promise<[TestWorker, Assignment[]]> {
    const worker = await this.#world.openWorkerOf(offerOf(definition));
    await this.submitMany(definition, count);
    return [worker, await worker.take(count)];
  }

  async waitReasonOf(jobId: string): Promise<string> {
    return waitReasonName((await this.#world.getJob(jobId)).waitReason);
  }
}
