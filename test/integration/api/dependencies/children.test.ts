/**
 * Children of running handlers over the wire: submitted by an attempt, awaited without a slot, cancelled with their
 * parent.
 */

import { randomUUID } from 'node:crypto';
import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { DependencyCondition } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes, uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Outcome, outcomes, type TestWorker } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { cancelJob, explainJob, submitJob, submitJobs, waitJob } = JobService.method;

const suspended = (...ids: string[]): Outcome => ({
  case: 'suspended',
  value: { childJobIds: ids.map((id) => uuidToBytes(id)) },
});

describe.each(databaseKinds)('child jobs on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const becomes = (jobId: string, state: string) =>
    eventually(`job ${jobId} becomes ${state}`, async () => (await world.stateOf(jobId)) === state);
  const parentOf = (worker: TestWorker, of: Assignment, detached = false) => ({
    jobId: uuidFromBytes(of.jobId),
    attempt: of.attempt,
    sessionId: worker.sessionText,
    detached,
  });
  const submit = async (worker: TestWorker, of: Assignment, definition: string, detached = false) =>
    (await world.rpc.call(submitJob, { job: { definition }, parent: parentOf(worker, of, detached) })).jobId;
  const ended = async (jobId: string) => {
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    if (!job?.endTime) throw new Error(`job ${jobId} has not ended`);
    return job;
  };

  /** A parent that one worker holds, and a worker for its children. */
  async function family(maxConcurrency = 0) {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    const { worker, jobId, attempt } = await world.hold({ retryPolicy: { maxAttempts: 1 }, maxConcurrency });
    return { definition, worker, jobId, attempt, children: await world.openWorker(definition) };
  }

  async function run(worker: TestWorker, outcome: 'result' | 'failure' = 'result') {
    const [of] = await worker.take(1);
    if (!of) throw new Error('nothing was assigned');
    await worker.report({ of, outcome: outcomes[outcome]() });
  }

  it('are in the trace of their parent, unless they are given another one', async () => {
    const definition = await world.define();
    const trace = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, tracestate: 'a=b' };
    const other = `00-${'3'.repeat(32)}-${'4'.repeat(16)}-01`;
    const traced = await world.openWorker(definition);
    await world.submit(definition, trace);
    const parent = parentOf(traced, (await traced.take(1))[0] as Assignment);
    const jobs = [{ definition }, { definition, traceparent: other }];
    const ids = (await world.rpc.call(submitJobs, { jobs, parent })).jobs.map(({ jobId }) => jobId);
    const traces = (await traced.take(2)).map(({ jobId, traceparent, tracestate }) => [
      ids.indexOf(uuidFromBytes(jobId)),
      { traceparent, tracestate },
    ]);
    expect(Object.fromEntries(traces)).toEqual({ 0: trace, 1: { traceparent: other, tracestate: '' } });
    const { worker, attempt } = await world.hold();
    const untraced = await submit(worker, attempt, definition);
    expect((await world.getJob(untraced)).traceparent).toBe('');
  });

  it('free the slot and permit of their waiting parent, whose handler runs again after their end', async () => {
    const { definition, worker, jobId, attempt, children } = await family(1);
    const ids = [await submit(worker, attempt, definition), await submit(worker, attempt, definition)];
    expect((await world.getJob(ids[0] as string)).parentJobId).toBe(jobId);
    expect(await worker.report({ of: attempt, outcome: suspended(...ids) })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome: suspended(...ids) })).toEqual(['DUPLICATE']);
    const waiting = await world.getJob(jobId);
    expect(stateName(waiting.state)).toBe('WAITING');
    expect(waiting.waitReason).toBe(WaitReason.DEPENDENCY);
    expect(waiting.attempts).toMatchObject([{ outcome: AttemptOutcome.SUSPENDED, counted: false }]);
    const { explanation } = await world.rpc.call(explainJob, { jobId });
    expect(explanation?.summary).toContain(`it waits for job ${ids[0]} to end, which is READY`);
    expect(explanation?.constraints[0]?.reason).toBe(WaitReason.DEPENDENCY);
    // The only permit of its definition is free.
    const other = await world.submit(waiting.definition);
    await run(worker);
    expect(stateName((await ended(other)).state)).toBe('SUCCEEDED');
    await run(children);
    expect(await world.stateOf(jobId)).toBe('WAITING');
    await run(children, 'failure');
    await becomes(jobId, 'READY');
    // It succeeds with its only attempt: the first one did not count.
    await run(worker);
    const done = await ended(jobId);
    expect([stateName(done.state), done.attemptCount]).toEqual(['SUCCEEDED', 1]);
  });

  it('that have already ended let the handler continue at once', async () => {
    const { definition, worker, jobId, attempt, children } = await family();
    const child = await submit(worker, attempt, definition);
    await run(children);
    await ended(child);
    await worker.report({ of: attempt, outcome: suspended(child, randomUUID()) });
    expect(await world.stateOf(jobId)).toBe('READY');
  });

  it.each(['succeeds', 'fails', 'is cancelled', 'is cancelled while it waits'])(
    'are cancelled when their parent %s',
    async (how) => {
      const { definition, worker, jobId, attempt } = await family();
      const attached = await submit(worker, attempt, definition);
      const detached = await submit(worker, attempt, definition, true);
      if (how === 'succeeds') await worker.report({ of: attempt, outcome: outcomes.result() });
      if (how === 'fails') await worker.report({ of: attempt, outcome: outcomes.failure() });
      if (how === 'is cancelled while it waits') await worker.report({ of: attempt, outcome: suspended(attached) });
      if (how.startsWith('is cancelled')) await world.rpc.call(cancelJob, { jobId });
      if (how === 'is cancelled') await worker.report({ of: attempt, outcome: outcomes.cancelled });
      await ended(jobId);
      const child = await ended(attached);
      expect(stateName(child.state)).toBe('CANCELLED');
      expect(child.cancellation?.reason).toBe(`its parent, job ${jobId}, has ended`);
      expect(await world.stateOf(detached)).toBe('READY');
    },
  );

  it('are refused if the attempt is not the open one', async () => {
    const { definition, worker, jobId, attempt } = await family();
    const open = parentOf(worker, attempt);
    const wrong = [
      { ...open, attempt: 2 },
      { ...open, sessionId: randomUUID() },
      { ...open, jobId: randomUUID() },
    ];
    for (const parent of wrong) {
      const refusal = await world.rpc.refused(submitJobs, { jobs: [{ definition }], parent });
      expect([refusal.code, refusal.reason]).toEqual([Code.FAILED_PRECONDITION, 'PARENT_ATTEMPT_CLOSED']);
    }
    await worker.report({ of: attempt, outcome: outcomes.result() });
    await ended(jobId);
    const refusal = await world.rpc.refused(submitJobs, { jobs: [{ definition }], parent: open });
    expect(refusal.reason).toBe('PARENT_ATTEMPT_CLOSED');
  });

  it('stay the same when they are submitted again by key, and can not wait for their parent', async () => {
    const { definition, worker, jobId, attempt } = await family();
    const parent = parentOf(worker, attempt);
    const job = { definition, idempotencyKey: `child/${jobId}/0` };
    const first = await world.rpc.call(submitJob, { job, parent });
    expect(await world.rpc.call(submitJob, { job, parent })).toMatchObject({ jobId: first.jobId, existing: true });
    const dependencies = [{ on: { case: 'jobId', value: jobId } as const, condition: DependencyCondition.ENDED }];
    const refusal = await world.rpc.refused(submitJob, { job: { definition, dependsOn: dependencies }, parent });
    expect(refusal.reason).toBe('DEPENDENCY_CYCLE');
  });

  it('end with a parent that waits too long', async () => {
    const definition = await world.define();
    const { worker, jobId, attempt } = await world.hold({ totalTimeout: { seconds: 1n } });
    const child = await submit(worker, attempt, definition);
    await worker.report({ of: attempt, outcome: suspended(child) });
    expect(stateName((await ended(jobId)).state)).toBe('FAILED');
    expect(stateName((await ended(child)).state)).toBe('CANCELLED');
  });
});
