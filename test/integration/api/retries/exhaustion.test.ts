/** Jobs that their policy pauses after the last attempt: what a reader sees, and what resuming and failing them does. */
import type { Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, PausedTimeouts } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { ExhaustionAction } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import type { Held, World } from '../base/world.ts';
import { type Flows, type Place, plays, startOn } from '../workflows/flows.ts';

const { failure, result } = outcomes;
const { cancelJob, explainJob, failJob, pauseJob, resumeJob } = JobService.method;
const soon = { nanos: 1_000_000 };
const retryPolicy = {
  maxAttempts: 2,
  minBackoff: soon,
  maxBackoff: soon,
  onExhaustion: ExhaustionAction.PAUSE,
};

describe.each(databaseKinds)('a job without a further attempt on %s', (kind) => {
  let place: Place;
  let world: World;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    ({ world, flows } = place);
  });

  afterAll(() => place?.stop());

  /** Its two attempts fail, with the types A and B. */
  async function exhaust({ worker, jobId, attempt }: Held): Promise<Job> {
    await worker.report({ of: attempt, outcome: failure({ type: 'A' }) });
    const [second = attempt] = await worker.take(1);
    expect(await worker.report({ of: second, outcome: failure({ type: 'B' }) })).toEqual(['ACCEPTED']);
    return world.getJob(jobId);
  }

  it('is PAUSED with both failures, and says what a person can do', async () => {
    const held = await world.hold({ retryPolicy });
    const job = await exhaust(held);
    expect(job).toMatchObject({ exhausted: true, attemptCount: 2, outcome: { case: undefined } });
    expect(job.attempts.map((attempt) => attempt.failure?.type)).toEqual(['A', 'B']);
    expect(job.stateReason).toBe(
      'paused after its last attempt: attempt 2 of 2 failed; ResumeJob counts anew, FailJob ends it',
    );
    expect(await world.stateOf(held.jobId)).toBe('PAUSED');
    const { explanation } = await world.rpc.call(explainJob, { jobId: held.jobId });
    expect(explanation?.constraints[0]?.nextStep).toContain(`muster fail ${held.jobId}`);
  });

  it('has all its attempts again once it is resumed, and may be exhausted again', async () => {
    const held = await world.hold({ retryPolicy });
    await exhaust(held);
    const resumed = await world.rpc.call(resumeJob, { jobId: held.jobId });
    expect(resumed.job).toMatchObject({ exhausted: false, attemptCount: 0 });
    const [third = held.attempt] = await held.worker.take(1);
    expect(await exhaust({ ...held, attempt: third })).toMatchObject({
      exhausted: true,
      attemptCount: 2,
      attempt: 4,
    });
    await world.rpc.call(resumeJob, { jobId: held.jobId });
    const [last = third] = await held.worker.take(1);
    expect(await held.worker.report({ of: last, outcome: result('done') })).toEqual(['ACCEPTED']);
    const ended = await world.getJob(held.jobId);
    expect(ended).toMatchObject({ state: 9, exhausted: false, attempt: 5, attemptCount: 1 });
    expect(ended.attempts.map(({ counted }) => counted)).toEqual([true, true, true, true, true]);
  });

  it('ends FAILED with its last failure when a person gives it up, once', async () => {
    const held = await world.hold({ retryPolicy });
    await exhaust(held);
    const request = { jobId: held.jobId, reason: 'he has left', requestId: '0198c0de-0000-7000-8000-0000000000a1' };
    const expected = { state: 10, stateReason: 'he has left', outcome: { value: { type: 'B' } }, attemptCount: 2 };
    expect((await world.rpc.call(failJob, request)).job).toMatchObject(expected);
    expect((await world.rpc.call(failJob, request)).job).toMatchObject(expected);
    expect(await world.rpc.refused(failJob, { ...request, reason: 'no' })).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect(await world.rpc.refused(failJob, { jobId: held.jobId })).toMatchObject({ reason: 'JOB_ENDED' });
  });

  it('keeps its reason when a person stops its total timeout', async () => {
    const held = await world.hold({ retryPolicy, totalTimeout: { seconds: 600n } });
    await exhaust(held);
    const { job } = await world.rpc.call(pauseJob, { jobId: held.jobId, timeouts: PausedTimeouts.STOP });
    expect([job?.exhausted, job?.stateReason]).toEqual([true, expect.stringContaining('attempt 2 of 2 failed')]);
  });

  it('can be cancelled all the same', async () => {
    const held = await world.hold({ retryPolicy });
    await exhaust(held);
    await world.rpc.call(cancelJob, { jobId: held.jobId });
    expect(await world.stateOf(held.jobId)).toBe('CANCELLED');
  });

  it('can be ended with a failure, which a job that has none can not', async () => {
    const { jobId } = await world.hold({ retryPolicy });
    expect(await world.rpc.refused(failJob, { jobId })).toMatchObject({
      reason: 'JOB_NOT_FAILED',
      message: expect.stringMatching(/is ASSIGNED: .*CancelJob/),
    });
    const waiting = await world.submit(await world.define());
    await world.rpc.call(pauseJob, { jobId: waiting });
    expect(await world.rpc.refused(failJob, { jobId: waiting })).toMatchObject({
      reason: 'JOB_NOT_FAILED',
      message: expect.stringContaining('has not failed'),
    });
    expect(await world.stateOf(waiting)).toBe('PAUSED');
  });

  it('holds its workflow, which goes by its failure once a person gives it up', async () => {
    const tag = flows.name('exhausted');
    const definition = flows.name('one-try');
    await flows.client.applyDefinition({
      name: definition,
      body: { case: 'task', value: { handler: 'play' } },
      retryPolicy: { maxAttempts: 1, onExhaustion: 'PAUSE' },
    });
    const name = await flows.define([
      { name: 'first', definition, input: plays(`${tag}-first`, { failures: 1 }) },
      { name: 'second', needs: ['first'], input: plays(`${tag}-second`, {}) },
    ]);
    const jobId = await flows.submit(name);
    let step = '';
    await eventually('the step waits for a person', async () => {
      const [first] = await flows.children(jobId);
      step = first?.jobId ?? '';
      return first?.exhausted === true;
    });
    expect(await world.stateOf(jobId)).toBe('WAITING');
    await flows.client.fail(step, 'he has left');
    expect((await flows.ended(jobId)).state).toBe(10);
    const { steps } = await flows.client.listWorkflowSteps(jobId);
    expect(steps.map(({ state }) => state)).toEqual([StepState.FAILED, StepState.UPSTREAM_FAILED]);
  });
});
