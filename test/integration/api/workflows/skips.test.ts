/** Steps that users skip: before they start, and while they run. */

import { AuditAction } from '@muster-jobs/sdk/gen/muster/v1/audit_record_pb';
import { AuditService } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { WorkflowService } from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
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

describe.each(databaseKinds)('skipped steps on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const start = async (steps: readonly Step[], started: string, times = 1): Promise<string> => {
    const jobId = await flows.submit(await flows.define(steps));
    await flows.hasStarted(started, times);
    return jobId;
  };
  const startsUnder = async (jobId: string) => flows.startsOf(await flows.children(jobId));
  const stepOf = async (jobId: string, name: string) =>
    (await flows.client.listWorkflowSteps(jobId)).steps.find((step) => step.name === name);
  const refusal = (skip: Promise<unknown>) =>
    skip.then(
      () => 'skipped',
      ({ reason }) => reason,
    );

  it('never start if they wait, and later steps follow their rules', async () => {
    const tag = flows.name('first');
    const jobId = await start(
      [
        { name: 'first', input: plays(tag, { hold: tag }) },
        { name: 'second', needs: ['first'] },
        { name: 'behind', needs: ['second'] },
        { name: 'last', needs: ['second'], triggerRule: TriggerRule.NONE_FAILED },
      ],
      tag,
    );
    await flows.client.skipStep(jobId, 'second', 'not today');
    flows.reopen(tag);
    const job = await flows.ended(jobId);
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', { last: { as: 'last' } }]);
    expect(await startsUnder(jobId)).toEqual([tag, 'last']);
    expect(await stepOf(jobId, 'second')).toMatchObject({
      state: StepState.SKIPPED,
      reason: 'skipped by hand: not today',
    });
    expect((await stepOf(jobId, 'behind'))?.state).toBe(StepState.SKIPPED);
  });

  it('are cancelled if they run, and do not fail the workflow', async () => {
    const tag = flows.name('running');
    const jobId = await start(
      [
        { name: 'work', input: plays(tag, { hold: tag }) },
        { name: 'after', needs: ['work'], triggerRule: TriggerRule.ALL_DONE },
      ],
      tag,
    );
    await flows.client.skipStep(jobId, 'work');
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    expect(flows.stopped.at(-1)?.part.as).toBe(tag);
    expect(await stepOf(jobId, 'work')).toMatchObject({ state: StepState.SKIPPED, reason: 'skipped by hand' });
    expect(await startsUnder(jobId)).toEqual([tag, 'after']);
  });

  it('can be whole fan-outs and loops', async () => {
    const [items, passes] = [flows.name('items'), flows.name('passes')];
    const each: Step = {
      name: 'each',
      fanOut: { items: '[1, 2, 3, 4]', maxParallel: 2 },
      input: plays(items, { hold: items }),
    };
    const again: Step = {
      name: 'again',
      loop: { repeatCondition: 'true', maxIterations: 9 },
      input: plays(passes, { hold: passes }),
    };
    const jobId = await start([each, again], items, 2);
    await flows.hasStarted(passes);
    await Promise.all(['each', 'again'].map((name) => flows.client.skipStep(jobId, name)));
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    expect([(await stepOf(jobId, 'each'))?.state, (await stepOf(jobId, 'again'))?.state]).toEqual([
      StepState.SKIPPED,
      StepState.SKIPPED,
    ]);
    expect(flows.startsAs(items)).toHaveLength(2);
    expect(flows.startsAs(passes)).toHaveLength(1);
  });

  it('are audited once', async () => {
    const tag = flows.name('recorded');
    const jobId = await start(
      [
        { name: 'work', input: plays(tag, { hold: tag }) },
        { name: 'next', needs: ['work'] },
      ],
      tag,
    );
    const requestId = crypto.randomUUID();
    const ask = () =>
      place.world.rpc.call(WorkflowService.method.skipStep, { jobId, step: 'next', reason: 'why', requestId });
    await ask();
    await ask();
    flows.reopen(tag);
    await flows.ended(jobId);
    const list = (request: object) => place.world.rpc.call(AuditService.method.listAuditRecords, request);
    expect((await list({ jobId })).records).toMatchObject([
      { action: AuditAction.SKIP_STEP, subject: 'next', reason: 'why', jobId },
    ]);
    const first = await list({ pageSize: 1 });
    expect(first.records).toMatchObject([{ jobId }]);
    const second = await list({ pageSize: 1, pageToken: first.nextPageToken });
    expect(second.records).toHaveLength(1);
    expect(second.records[0]?.jobId).not.toBe(jobId);
    expect((await list({ namespace: 'other' })).records).toEqual([]);
    expect((await flows.client.listAuditRecords({ jobId, pageSize: 5 })).records).toHaveLength(1);
  });

  it('can not be ones that have ended, belong to another phase, or do not exist', async () => {
    const tag = flows.name('second');
    const jobId = await start(
      [
        { name: 'first' },
        { name: 'second', needs: ['first'], input: plays(tag, { hold: tag }) },
        { name: 'tidy', role: StepRole.FINALLY },
      ],
      tag,
    );
    const skip = (step: string) => refusal(flows.client.skipStep(jobId, step));
    expect(await Promise.all(['first', 'tidy', 'nowhere'].map(skip))).toEqual([
      'STEP_NOT_SKIPPABLE',
      'STEP_NOT_SKIPPABLE',
      'STEP_NOT_FOUND',
    ]);
    flows.reopen(tag);
    await flows.ended(jobId);
    expect(await skip('second')).toBe('STEP_NOT_SKIPPABLE');
    const waiting = await flows.submit(await flows.define([{ name: 'a' }]), {}, { delayMs: 3_600_000 });
    expect(await refusal(flows.client.skipStep(waiting, 'a'))).toBe('STEP_NOT_SKIPPABLE');
  });
});
