/** Dependencies over the wire: jobs that wait for jobs, steps and assets, what releases them, and what ends them. */

import { randomUUID } from 'node:crypto';
import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { AssetService } from '@muster-jobs/sdk/gen/muster/v1/asset_service_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { DependencyCondition, type DependencySchema } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { type Job, SkipReason, WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import type { Refusal } from '../base/rpc.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { addDependencies, cancelJob, explainJob, pauseJob, resumeJob, submitJob, updateJob, waitJob } =
  JobService.method;
const { listAssets } = AssetService.method;
const { SUCCEEDED, ENDED, FAILED } = DependencyCondition;

type Init = MessageInitShape<typeof DependencySchema>;

const onJob = (jobId: string, condition?: DependencyCondition): Init => ({
  on: { case: 'jobId', value: jobId },
  ...(condition === undefined ? {} : { condition }),
});
const onStep = (workflowJobId: string, step: string, condition: DependencyCondition = SUCCEEDED): Init => ({
  on: { case: 'step', value: { workflowJobId, step } },
  condition,
});
const onAsset = (name: string, afterMs?: number): Init => ({
  on: { case: 'asset', value: { name, ...(afterMs === undefined ? {} : { afterTime: timestampFromMs(afterMs) }) } },
});

describe.each(databaseKinds)('dependencies on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const add = async (jobId: string, dependencies: Init[], requestId = '') =>
    (await world.rpc.call(addDependencies, { jobId, dependsOn: dependencies, requestId })).job as Job;
  const becomes = (jobId: string, state: string) =>
    eventually(`job ${jobId} becomes ${state}`, async () => (await world.stateOf(jobId)) === state);

  async function refused<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    code: number,
    reason: string,
  ): Promise<Refusal> {
    const refusal = await world.rpc.refused(method, request);
    expect([refusal.code, refusal.reason]).toEqual([code, reason]);
    return refusal;
  }

  async function ended(jobId: string): Promise<Job> {
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    if (!job?.endTime) throw new Error(`job ${jobId} has not ended`);
    return job;
  }

  async function workers(): Promise<{ definition: string; worker: TestWorker }> {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    return { definition, worker: await world.openWorker(definition) };
  }

  async function run(worker: TestWorker, outcome: 'result' | 'failure' = 'result'): Promise<void> {
    const [of] = await worker.take(1);
    if (!of) throw new Error('nothing was assigned');
    await worker.report({ of, outcome: outcomes[outcome]() });
  }

  it('block a job until the other one has succeeded', async () => {
    const { definition, worker } = await workers();
    const first = await world.submit(definition);
    const second = await world.submit(definition, { dependsOn: [onJob(first)] });
    const blocked = await world.getJob(second);
    expect(stateName(blocked.state)).toBe('BLOCKED');
    expect(blocked.waitReason).toBe(WaitReason.DEPENDENCY);
    const { explanation } = await world.rpc.call(explainJob, { jobId: second });
    expect(explanation?.constraints[0]?.message).toBe(`it waits for job ${first} to succeed, which is READY`);
    await run(worker);
    await becomes(second, 'READY');
    await run(worker);
    expect(stateName((await ended(second)).state)).toBe('SUCCEEDED');
  });

  it.each([
    ['result', SUCCEEDED, 'READY'],
    ['result', ENDED, 'READY'],
    ['result', FAILED, 'SKIPPED'],
    ['failure', SUCCEEDED, 'SKIPPED'],
    ['failure', ENDED, 'READY'],
    ['failure', FAILED, 'READY'],
  ] as const)('after a %s and for condition %i make the job %s', async (outcome, condition, state) => {
    const { definition, worker } = await workers();
    const first = await world.submit(definition);
    const before = await world.submit(definition, { dependsOn: [onJob(first, condition)] });
    await run(worker, outcome);
    await becomes(before, state);
    // The same holds at once for a job that has already ended.
    const after = await world.submit(definition, { dependsOn: [onJob(first, condition)] });
    expect(await world.stateOf(after)).toBe(state);
    if (state !== 'SKIPPED') return;
    const job = await ended(after);
    expect(job.skipReason).toBe(SkipReason.UPSTREAM_FAILED);
    expect(job.stateReason).toContain(`it depended on job ${first}`);
    expect(job.outcome.case).toBe('failure');
    await ended(before);
  });

  it('must all be met, and then a later start time, too', async () => {
    const { definition, worker } = await workers();
    const [a, b] = [await world.submit(definition), await world.submit(definition)];
    const waiting = await world.submit(definition, {
      dependsOn: [onJob(a), onJob(b), onJob(a, ENDED)],
      start: { case: 'delay', value: { seconds: 600n } },
    });
    await run(worker);
    await eventually('one is met', async () => {
      const { explanation } = await world.rpc.call(explainJob, { jobId: waiting });
      return explanation?.constraints[0]?.message.includes(b) ?? false;
    });
    expect(await world.stateOf(waiting)).toBe('BLOCKED');
    await run(worker);
    await becomes(waiting, 'SCHEDULED');
  });

  it('continue across a pause, and can be changed and cancelled', async () => {
    const { definition, worker } = await workers();
    const first = await world.submit(definition);
    const [held, kept, cancelled] = [
      await world.submit(definition, { dependsOn: [onJob(first)] }),
      await world.submit(definition, { dependsOn: [onJob(first)] }),
      await world.submit(definition, { dependsOn: [onJob(first)] }),
    ];
    await world.rpc.call(pauseJob, { jobId: kept });
    await world.rpc.call(resumeJob, { jobId: kept });
    expect(await world.stateOf(kept)).toBe('BLOCKED');
    await world.rpc.call(updateJob, { jobId: kept, priority: 50 });
    expect((await world.getJob(kept)).priority).toBe(50);
    expect(await world.stateOf(kept)).toBe('BLOCKED');
    await world.rpc.call(pauseJob, { jobId: held });
    await world.rpc.call(cancelJob, { jobId: cancelled });
    expect(stateName((await ended(cancelled)).state)).toBe('CANCELLED');
    await run(worker);
    await becomes(kept, 'READY');
    expect(await world.stateOf(held)).toBe('PAUSED');
    await world.rpc.call(resumeJob, { jobId: held });
    expect(await world.stateOf(held)).toBe('READY');
  });

  it('can be on a step of a workflow, started or not, and on one that never starts', async () => {
    const { definition, worker } = await workers();
    const steps = [
      { name: 'one', definition },
      { name: 'two', definition, needs: ['one'] },
      { name: 'never', definition, needs: ['one'], condition: 'false' },
    ];
    const workflow = await world.define({ body: { case: 'workflow', value: { steps } } });
    const jobId = await world.submit(workflow);
    const other = await world.define();
    const [one, two, never] = [
      await world.submit(other, { dependsOn: [onStep(jobId, 'one')] }),
      await world.submit(other, { dependsOn: [onStep(jobId, 'two')] }),
      await world.submit(other, { dependsOn: [onStep(jobId, 'never')] }),
    ];
    await run(worker);
    await becomes(one, 'READY');
    await becomes(never, 'SKIPPED');
    expect(await world.stateOf(two)).toBe('BLOCKED');
    await run(worker, 'failure');
    await becomes(two, 'SKIPPED');
    await ended(jobId);
    const late = await world.submit(other, { dependsOn: [onStep(jobId, 'two', FAILED)] });
    expect(await world.stateOf(late)).toBe('READY');
  });

  it('leave a repeat under the same idempotency key what it was, also on an asset', async () => {
    const definition = await world.define();
    const submission = { dependsOn: [onAsset('repeated')], idempotencyKey: randomUUID() };
    const jobId = await world.submit(definition, submission);
    expect(await world.submit(definition, submission)).toBe(jobId);
  });

  it('can be on an asset, which the next success of a job publishes', async () => {
    const name = `asset-${randomUUID()}`.slice(0, 40);
    const publisher = await world.define({ publishes: [name] });
    const worker = await world.openWorker(publisher);
    const definition = await world.define();
    const since = Date.now() - 60_000;
    const waiting = await world.submit(definition, { dependsOn: [onAsset(name)] });
    const job = await world.submit(publisher);
    await run(worker);
    await becomes(waiting, 'READY');
    const { assets } = await world.rpc.call(listAssets, { pageSize: 1_000 });
    expect(assets.find((asset) => asset.name === name)).toMatchObject({ version: 1n, jobId: job });
    // An earlier publication does not count unless that is requested.
    const next = await world.submit(definition, { dependsOn: [onAsset(name)] });
    const past = await world.submit(definition, { dependsOn: [onAsset(name, since)] });
    expect(await world.stateOf(next)).toBe('BLOCKED');
    expect(await world.stateOf(past)).toBe('READY');
    await world.submit(publisher);
    await run(worker);
    await becomes(next, 'READY');
  });

  it('can be added to a waiting job, once', async () => {
    const { definition, worker } = await workers();
    const first = await world.submit(definition, { priority: 10 });
    const waiting = await world.submit(definition);
    const requestId = randomUUID();
    expect(stateName((await add(waiting, [onJob(first)], requestId)).state)).toBe('BLOCKED');
    expect(stateName((await add(waiting, [onJob(first)], requestId)).state)).toBe('BLOCKED');
    await run(worker);
    await becomes(waiting, 'READY');
    // A condition that is already met changes nothing.
    expect(stateName((await add(waiting, [onJob(first)])).state)).toBe('READY');
    expect(stateName((await add(waiting, [onJob(first, FAILED)])).state)).toBe('SKIPPED');
    await refused(
      addDependencies,
      { jobId: first, dependsOn: [onJob(waiting)] },
      Code.FAILED_PRECONDITION,
      'JOB_ENDED',
    );
  });

  it('are refused if they close a cycle, which the error names hop by hop', async () => {
    const { definition } = await workers();
    const a = await world.submit(definition);
    const b = await world.submit(definition, { dependsOn: [onJob(a)] });
    const c = await world.submit(definition, { dependsOn: [onJob(b)] });
    const text = `job ${a} waits for job ${c} waits for job ${b} waits for job ${a}`;
    const error = await refused(
      addDependencies,
      { jobId: a, dependsOn: [onJob(c)] },
      Code.FAILED_PRECONDITION,
      'DEPENDENCY_CYCLE',
    );
    expect(error.info?.metadata.cycle).toBe(text);
    await refused(addDependencies, { jobId: a, dependsOn: [onJob(a)] }, Code.FAILED_PRECONDITION, 'DEPENDENCY_CYCLE');
    expect(await world.stateOf(a)).toBe('READY');
    // Two calls that close the cycle together: one of them is refused.
    const [d, e] = [await world.submit(definition), await world.submit(definition)];
    const both = await Promise.allSettled([add(d, [onJob(e)]), add(e, [onJob(d)])]);
    expect(both.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  it('are refused if a step or a member would wait for the job that contains it', async () => {
    const { definition } = await workers();
    const steps = [
      { name: 'one', definition },
      { name: 'two', definition, needs: ['one'] },
    ];
    const workflow = await world.define({ body: { case: 'workflow', value: { steps } } });
    const jobId = await world.submit(workflow);
    let child = '';
    await eventually('the step is started', async () => {
      const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { parentJobId: jobId } });
      child = jobs[0]?.jobId ?? '';
      return child !== '';
    });
    for (const on of [onJob(jobId), onStep(jobId, 'two'), onStep(jobId, 'one')])
      await refused(addDependencies, { jobId: child, dependsOn: [on] }, Code.FAILED_PRECONDITION, 'DEPENDENCY_CYCLE');
    const outer = await world.submit(definition, { dependsOn: [onJob(jobId)] });
    const error = await refused(
      addDependencies,
      { jobId: child, dependsOn: [onJob(outer)] },
      Code.FAILED_PRECONDITION,
      'DEPENDENCY_CYCLE',
    );
    expect(error.info?.metadata.cycle).toBe(
      `job ${child} waits for job ${outer} waits for job ${jobId} waits for step one of workflow ${jobId} waits for job ${child}`,
    );
    const batch = (await world.rpc.call(BatchService.method.createBatch, { batch: {} })).batch?.job?.jobId ?? '';
    await refused(
      submitJob,
      { job: { definition, dependsOn: [onJob(batch)] }, batchJobId: batch },
      Code.FAILED_PRECONDITION,
      'DEPENDENCY_CYCLE',
    );
  });

  it('end with the timeout of a waiting job, and need existing targets', async () => {
    const { definition } = await workers();
    const first = await world.submit(definition);
    const expiring = await world.submit(definition, {
      dependsOn: [onJob(first)],
      expireTime: timestampFromMs(Date.now() + 300),
    });
    expect(stateName((await ended(expiring)).state)).toBe('EXPIRED');
    const job = { definition, dependsOn: [onJob(first), onJob(randomUUID())] };
    const error = await refused(submitJob, { job }, Code.NOT_FOUND, 'JOB_NOT_FOUND');
    expect(error.message).toContain('job.depends_on[1]');
    const step = { definition, dependsOn: [onStep(first, 'one')] };
    await refused(submitJob, { job: step }, Code.FAILED_PRECONDITION, 'NOT_A_WORKFLOW');
  });
});
