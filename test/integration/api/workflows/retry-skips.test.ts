/** Retries of workflows that leave out steps: broken ones, and ones that wait for others. */

import { randomUUID } from 'node:crypto';
import { AuditAction } from '@muster-jobs/sdk/gen/muster/v1/audit_record_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import {
  type Flows,
  type Place,
  plays,
  resultOf,
  type Step,
  StepRole,
  startOn,
  stateName,
  TriggerRule,
} from './flows.ts';

describe.each(databaseKinds)('retries that skip steps on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const broken: Step = { name: 'broken', needs: ['first'], input: plays('broken', { fail: 'for good' }) };
  const last: Step = { name: 'last', needs: ['broken', 'late'], triggerRule: TriggerRule.NONE_FAILED };
  /** A failed workflow in which only `first` has succeeded. */
  const failed = async (...more: Step[]) => {
    const steps: Step[] = [{ name: 'first' }, broken, { name: 'late', needs: ['broken'] }, last, ...more];
    const jobId = await flows.submit(await flows.define(steps));
    expect(stateName((await flows.ended(jobId)).state)).toBe('FAILED');
    return jobId;
  };
  const stepsOf = async (jobId: string) =>
    Object.fromEntries((await flows.client.listWorkflowSteps(jobId)).steps.map((step) => [step.name, step]));
  const records = async (jobId: string) => (await flows.client.listAuditRecords({ jobId })).records;
  const refusal = (jobId: string, ...skipSteps: string[]) =>
    flows.client.retry(jobId, { skipSteps }).then(
      () => 'retried',
      ({ reason, message }) => `${reason}: ${message}`,
    );

  it('run all other steps, with an audit record of each skip', async () => {
    const before = await failed();
    const { jobId } = await flows.client.retry(before, { skipSteps: ['late', 'broken'], reason: 'not needed' });
    const job = await flows.ended(jobId);
    expect([stateName(job.state), resultOf(job), job.retryOf]).toEqual(['SUCCEEDED', { last: { as: 'last' } }, before]);
    expect(flows.startsOf(await flows.children(jobId))).toEqual(['last']);
    const { first, broken: skipped, late } = await stepsOf(jobId);
    expect(first?.reason).toBe(`adopted from ${before}`);
    for (const step of [skipped, late])
      expect(step).toMatchObject({ state: StepState.SKIPPED, reason: 'skipped by hand: not needed', jobId: '' });
    const action = AuditAction.SKIP_STEP;
    expect((await records(jobId)).filter((one) => one.action === action)).toMatchObject([
      { jobId, subject: 'broken', reason: 'not needed' },
      { jobId, subject: 'late', reason: 'not needed' },
    ]);
  });

  it('create one job for one request id, and another for other steps', async () => {
    const before = await failed();
    const requestId = randomUUID();
    const ask = (skipSteps: string[]) =>
      place.world.rpc.call(JobService.method.retryJob, { jobId: before, requestId, skipSteps });
    const [first, second] = [await ask(['broken']), await ask(['broken'])];
    expect(second.job?.jobId).toBe(first.job?.jobId);
    const skips = (await records(first.job?.jobId ?? '')).filter((one) => one.action === AuditAction.SKIP_STEP);
    expect(skips).toHaveLength(1);
    await expect(ask(['late'])).rejects.toThrow('request_id was used');
  });

  it('can skip everything, compensated steps, and steps of a workflow that had succeeded', async () => {
    const undone = { name: 'undone', compensation: { definition: 'play', input: plays('undo', {}) } };
    const before = await failed(undone);
    const all = ['broken', 'late', 'last', 'undone'];
    const { jobId } = await flows.client.retry(before, { skipSteps: all });
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    expect(await flows.children(jobId)).toEqual([]);
    const good = await flows.run([{ name: 'a' }, { name: 'b', needs: ['a'] }]);
    const again = await flows.client.retry(good.jobId, { skipSteps: ['a'] });
    expect(stateName((await flows.ended(again.jobId)).state)).toBe('SUCCEEDED');
    expect((await stepsOf(again.jobId)).b?.state).toBe(StepState.SKIPPED);
  });

  it('show before they start which steps they will skip', async () => {
    const queue = flows.name('held');
    await flows.client.createQueue(queue);
    const name = await flows.define([broken, { name: 'first' }], {}, { queue });
    const { jobId: first } = await flows.ended(await flows.submit(name));
    await flows.client.pauseQueue(queue);
    const { jobId } = await flows.client.retry(first, { skipSteps: ['broken'], reason: 'why' });
    expect((await stepsOf(jobId)).broken).toMatchObject({
      state: StepState.WAITING,
      reason: 'skipped by hand: why',
    });
    expect(await flows.client.getWorkflow(jobId)).toMatchObject({ stepCount: 2, waitingCount: 2 });
    await flows.client.resumeQueue(queue);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });

  it('are refused for steps that do not exist, are taken over, or belong to clean-up', async () => {
    const before = await failed({ name: 'tidy', role: StepRole.FINALLY });
    expect(await refusal(before, 'broken', 'nowhere')).toMatch(/^STEP_NOT_FOUND: .* has no step "nowhere"/);
    expect(await refusal(before, 'first')).toMatch(/^STEP_NOT_SKIPPABLE: step "first" of job .* takes its result over/);
    expect(await refusal(before, 'tidy')).toMatch(/^STEP_NOT_SKIPPABLE: step "tidy" of job .* has the role FINALLY/);
    const made: string[] = [];
    for await (const job of flows.client.list({ definition: (await flows.client.get(before)).definition }))
      made.push(job.jobId);
    expect(made).toEqual([before]);
  });
});
