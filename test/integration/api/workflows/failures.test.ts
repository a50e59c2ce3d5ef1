/** Failed steps, and their effect on the other steps and on the workflow. */

import { durationFromMs, FailureCause } from '@muster-jobs/sdk';
import { FailureMode } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import {
  type Flows,
  failureOf,
  type Place,
  plays,
  resultOf,
  startOn,
  stateName,
  TriggerRule,
  witness,
} from './flows.ts';

describe.each(databaseKinds)('failures of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  it('cancel the steps that run next to a failed leaf, and start no more', async () => {
    const [bad, other] = [flows.name('bad'), flows.name('other')];
    const name = await flows.define([
      { name: 'bad', input: plays(bad, { fail: 'broken', hold: bad }) },
      { name: 'other', input: plays(other, { hold: other }) },
      { name: 'behind', needs: ['other'] },
      witness('bad', 'other', 'behind'),
    ]);
    const jobId = await flows.submit(name);
    await Promise.all([flows.hasStarted(bad), flows.hasStarted(other)]);
    flows.reopen(bad);
    const job = await flows.ended(jobId);
    expect(stateName(job.state)).toBe('FAILED');
    expect(flows.stopped.map(({ part }) => part.as)).toContain(other);
    expect(flows.statesOf(jobId)).toEqual({ bad: 'FAILED', other: 'FAILED', behind: 'UPSTREAM_FAILED' });
    const children = await flows.children(jobId);
    expect(children.map(({ state }) => stateName(state)).sort()).toEqual(['CANCELLED', 'FAILED', 'SUCCEEDED']);
    expect(failureOf(job)).toMatchObject({
      type: 'StepFailed',
      message: 'step "bad": broken',
      failureCause: FailureCause.APPLICATION,
      cause: { type: 'NonRetryableError', message: 'broken' },
    });
  });

  it('let branches run to their ends if the workflow says so', async () => {
    const late = flows.name('late');
    const name = await flows.define(
      [
        { name: 'bad', input: plays('bad', { fail: 'broken' }) },
        { name: 'runs', input: plays(late, { hold: late }) },
        { name: 'next', needs: ['runs'] },
        { name: 'behind', needs: ['bad'] },
        witness('bad', 'runs', 'next', 'behind'),
      ],
      { failureMode: FailureMode.RUN_BRANCHES },
    );
    const jobId = await flows.submit(name);
    await flows.hasStarted(late);
    flows.reopen(late);
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['FAILED', 'step "bad": broken']);
    const states = { bad: 'FAILED', runs: 'SUCCEEDED', next: 'SUCCEEDED', behind: 'UPSTREAM_FAILED' };
    expect(flows.statesOf(jobId)).toEqual(states);
  });

  it('that a later step tolerates do not fail the workflow', async () => {
    const job = await flows.run([
      { name: 'bad', input: plays('bad', { fail: 'broken' }) },
      { name: 'next', needs: ['bad'], triggerRule: TriggerRule.ALL_FAILED, input: plays('next', { give: 1 }) },
    ]);
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', { next: 1 }]);
  });

  it('name the step that failed the workflow, not an earlier tolerated one', async () => {
    const job = await flows.run([
      { name: 'bad', input: plays('bad', { fail: 'tolerated' }) },
      { name: 'next', needs: ['bad'], triggerRule: TriggerRule.ALL_DONE },
      { name: 'worse', needs: ['next'], input: plays('worse', { fail: 'not tolerated' }) },
      { name: 'last', needs: ['worse'] },
    ]);
    expect(failureOf(job)?.message).toBe('step "worse": not tolerated');
  });

  it('of attempts are retried by the policy of the step, or of its definition', async () => {
    const policy = { maxAttempts: 3, minBackoffMs: 1, maxBackoffMs: 1 };
    const patient = await flows.task({ retryPolicy: policy });
    const short = { minBackoff: durationFromMs(1), maxBackoff: durationFromMs(1) };
    const job = await flows.run([
      { name: 'own', definition: patient, input: plays('own', { failures: 2, give: 'own' }) },
      {
        name: 'over',
        input: plays('over', { failures: 1, give: 'over' }),
        overrides: { retryPolicy: { maxAttempts: 2, ...short } },
      },
    ]);
    expect(resultOf(job)).toEqual({ own: 'own', over: 'over' });
    const children = await flows.children(job.jobId);
    expect(children.map(({ attemptCount }) => attemptCount).sort()).toEqual([2, 3]);
  });

  it('include a step that no worker takes in time', async () => {
    await flows.client.applyDefinition({ name: 'nobody-takes-it' });
    const overrides = { expireAfter: durationFromMs(100) };
    const job = await flows.run([{ name: 'late', definition: 'nobody-takes-it', overrides }]);
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)).toMatchObject({
      type: 'StepFailed',
      message: 'step "late": it was not started before its expiry',
      failureCause: FailureCause.EXPIRED,
      cause: { type: 'Expired' },
    });
  });

  it('include a step whose definition was archived', async () => {
    const gone = await flows.task();
    const name = await flows.define([{ name: 'a', definition: gone }]);
    await flows.client.archiveDefinition(gone);
    const job = await flows.ended(await flows.submit(name));
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)).toMatchObject({
      type: 'StepFailed',
      message: `step "a": definition ${gone} is archived and takes no new jobs`,
    });
    expect(await flows.children(job.jobId)).toEqual([]);
  });

  it('include a step whose input does not match its definition', async () => {
    const strict = await flows.task({ inputJsonSchema: '{"type": "object", "required": ["to"]}' });
    const job = await flows.run([{ name: 'a', definition: strict, input: 'workflow.input.what' }], { what: {} });
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)?.message).toMatch(/^step "a": .*must have required property 'to'/);
    expect(await flows.children(job.jobId)).toEqual([]);
  });

  it('do not delay a workflow of many steps, in which one in ten can not start', async () => {
    const steps = Array.from({ length: 200 }, (_, i) => ({
      name: `s${i}`,
      input: i % 10 === 0 ? 'workflow.input.missing' : plays('many', {}),
    }));
    const job = await flows.run(steps, {}, { failureMode: FailureMode.RUN_BRANCHES });
    expect([stateName(job.state), (await flows.children(job.jobId)).length]).toEqual(['FAILED', 180]);
  });
});
