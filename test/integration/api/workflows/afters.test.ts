/** Steps that wait for targets outside of their workflow: jobs, steps of other workflows, data assets. */

import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import type { WorkflowStepRun } from '@muster-jobs/sdk';
import { DependencyCondition } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { DependencyExpressionSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, plays, type Step, startOn, stateName } from './flows.ts';

const { ENDED, FAILED, UNSPECIFIED } = DependencyCondition;

type After = NonNullable<Step['dependsOn']>[number];

const afterJob = (value = 'workflow.input.job', condition: DependencyCondition = UNSPECIFIED): After =>
  create(DependencyExpressionSchema, {
    on: { case: 'jobId', value },
    condition,
  });
const afterStep = (
  step: string,
  workflowJobId = 'workflow.input.job',
  condition: DependencyCondition = UNSPECIFIED,
): After =>
  create(DependencyExpressionSchema, {
    on: { case: 'step', value: { workflowJobId, step } },
    condition,
  });
const afterAsset = (value: string): After => create(DependencyExpressionSchema, { on: { case: 'asset', value } });

describe.each(databaseKinds)('steps with external dependencies on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const stepOf = async (jobId: string, name: string) => {
    const { steps } = await flows.client.listWorkflowSteps(jobId);
    return steps.find((step) => step.name === name) as WorkflowStepRun;
  };
  /** The step's job, once it is blocked. */
  const blocked = async (jobId: string, name: string): Promise<string> => {
    await eventually(`step ${name} waits`, async () => {
      const { jobId: child } = await stepOf(jobId, name);
      return child !== '' && stateName((await flows.client.get(child)).state) === 'BLOCKED';
    });
    return (await stepOf(jobId, name)).jobId;
  };
  /** A job that runs until it is released by the name `hold`. */
  const held = async (part: object = {}): Promise<{ jobId: string; hold: string }> => {
    const hold = flows.name('hold');
    return { jobId: await flows.submit('play', { as: hold, hold, ...part }), hold };
  };
  const waits = (after: readonly After[], more: { readonly needs?: string[]; readonly input?: string } = {}): Step => ({
    name: 'late',
    dependsOn: [...after],
    ...more,
  });

  it('start after a job has succeeded, also if it had before', async () => {
    const name = await flows.define([{ name: 'first' }, waits([afterJob()], { needs: ['first'] })]);
    const { jobId: job, hold } = await held();
    const flow = await flows.submit(name, { job });
    const child = await blocked(flow, 'late');
    const step = await stepOf(flow, 'late');
    expect([step.state, step.reason]).toEqual([StepState.RUNNING, `its job depends on job ${job} to succeed`]);
    expect((await flows.client.explain(child)).constraints[0]?.message).toContain(`it waits for job ${job} to succeed`);
    flows.reopen(hold);
    expect(stateName((await flows.ended(flow)).state)).toBe('SUCCEEDED');
    expect(stateName((await flows.ended(await flows.submit(name, { job }))).state)).toBe('SUCCEEDED');
  });

  it('can name the job by the output of an earlier step', async () => {
    const { jobId: job, hold } = await held();
    const steps = [
      { name: 'first', input: plays('first', { give: { job } }) },
      waits([afterJob('steps.first.output.job', ENDED)], { needs: ['first'] }),
    ];
    const flow = await flows.submit(await flows.define(steps));
    await blocked(flow, 'late');
    await flows.client.cancel(job);
    expect(stateName((await flows.ended(flow)).state)).toBe('SUCCEEDED');
    flows.reopen(hold);
  });

  it('can wait for a step of another workflow', async () => {
    const hold = flows.name('hold');
    const other = await flows.submit(
      await flows.define([
        { name: 'a', input: plays('a', { hold }) },
        { name: 'b', needs: ['a'] },
      ]),
    );
    const name = await flows.define([waits([afterStep('b')])]);
    const flow = await flows.submit(name, { job: other });
    await blocked(flow, 'late');
    expect((await stepOf(flow, 'late')).reason).toBe(`its job depends on step b of workflow ${other} to succeed`);
    flows.reopen(hold);
    expect(stateName((await flows.ended(flow)).state)).toBe('SUCCEEDED');
    expect(stateName((await flows.ended(await flows.submit(name, { job: other }))).state)).toBe('SUCCEEDED');
  });

  it('can wait for the next publication of an asset', async () => {
    const asset = flows.name('asset');
    const publisher = await flows.task({ publishes: [asset] });
    await flows.ended(await flows.submit(publisher));
    const flow = await flows.submit(await flows.define([waits([afterAsset('workflow.input.asset')])]), { asset });
    await blocked(flow, 'late');
    await flows.submit(publisher);
    expect(stateName((await flows.ended(flow)).state)).toBe('SUCCEEDED');
  });

  it('wait in parallel, for several targets each, and one after another in order of the steps', async () => {
    const [one, two] = [await held(), await held()];
    const asset = flows.name('asset');
    const both = [afterJob('workflow.input.one'), afterJob('workflow.input.two'), afterAsset(`"${asset}"`)];
    const names = ['x', 'y', 'z'];
    const steps = names.map((name): Step => ({ name, dependsOn: both }));
    const flow = await flows.submit(await flows.define([...steps, { name: 'free' }]), {
      one: one.jobId,
      two: two.jobId,
    });
    for (const name of names) await blocked(flow, name);
    flows.reopen(one.hold);
    flows.reopen(two.hold);
    await flows.submit(await flows.task({ publishes: [asset] }));
    expect(stateName((await flows.ended(flow)).state)).toBe('SUCCEEDED');
  });

  it.each(['before', 'meanwhile'] as const)(
    'fail if their condition can not be met, as the target %s',
    async (when) => {
      const { jobId: job, hold } = await held({ fail: 'no' });
      if (when === 'before') flows.reopen(hold);
      if (when === 'before') await flows.ended(job);
      const name = await flows.define([waits([afterJob()]), { name: 'next', needs: ['late'] }]);
      const flow = await flows.submit(name, { job });
      if (when === 'meanwhile') await blocked(flow, 'late');
      flows.reopen(hold);
      const ended = await flows.ended(flow);
      expect(stateName(ended.state)).toBe('FAILED');
      const why = `it depended on job ${job} to succeed, which ended FAILED`;
      expect(failureOf(ended)).toMatchObject({ type: 'StepFailed', message: `step "late": ${why}` });
      const { state, jobId: child } = await stepOf(flow, 'late');
      expect([state, stateName((await flows.client.get(child)).state)]).toEqual([StepState.FAILED, 'SKIPPED']);
      expect((await stepOf(flow, 'next')).state).toBe(StepState.UPSTREAM_FAILED);
    },
  );

  it('run, and wait, again in a retry', async () => {
    const [{ jobId: job, hold }, asset] = [await held({ fail: 'no' }), flows.name('asset')];
    const after = [afterJob('workflow.input.job', FAILED), afterAsset(`"${asset}"`)];
    const publisher = await flows.task({ publishes: [asset] });
    const late = waits(after, { needs: ['first'], input: plays('late', { fail: 'again' }) });
    const flow = await flows.submit(await flows.define([{ name: 'first' }, late]), { job });
    flows.reopen(hold);
    await blocked(flow, 'late');
    await flows.submit(publisher);
    expect(stateName((await flows.ended(flow)).state)).toBe('FAILED');
    const { jobId: again } = await flows.client.retry(flow);
    await blocked(again, 'late');
    expect((await stepOf(again, 'first')).reason).toContain('adopted from');
    await flows.submit(publisher);
    expect(failureOf(await flows.ended(again))?.message).toContain('step "late": again');
  });

  it('end with their workflow, and when they are skipped manually', async () => {
    const { jobId: job, hold } = await held();
    const name = await flows.define([waits([afterJob()])]);
    const [cancelled, skipped] = [await flows.submit(name, { job }), await flows.submit(name, { job })];
    const children = [await blocked(cancelled, 'late'), await blocked(skipped, 'late')];
    await flows.client.cancel(cancelled);
    await flows.client.skipStep(skipped, 'late', 'not needed');
    expect(stateName((await flows.ended(cancelled)).state)).toBe('CANCELLED');
    expect(stateName((await flows.ended(skipped)).state)).toBe('SUCCEEDED');
    for (const child of children) expect(stateName((await flows.client.get(child)).state)).toBe('CANCELLED');
    flows.reopen(hold);
  });

  it('fail if they would wait for each other, across two workflows, and name every hop', async () => {
    const { client } = flows;
    const hold = flows.name('hold');
    const between = await client.submit('play', {}, { delayMs: 600_000 });
    const steps = [{ name: 'start', input: plays('start', { hold }) }, waits([afterJob()], { needs: ['start'] })];
    const one = await flows.submit(await flows.define(steps), { job: between.jobId });
    const two = await flows.submit(await flows.define([waits([afterStep('late')])]), { job: one });
    const child = await blocked(two, 'late');
    await client.addDependencies(between, [{ step: 'late', workflow: two }]);
    flows.reopen(hold);
    const ended = await flows.ended(one);
    expect(stateName(ended.state)).toBe('FAILED');
    const late = `step late of workflow ${one}`;
    const circle = `${late} waits for job ${between.jobId} waits for step late of workflow ${two} waits for job ${child} waits for ${late}`;
    expect((await stepOf(one, 'late')).reason).toBe(
      `depends_on: jobs would wait for each other in a circle: ${circle}`,
    );
    // The target can no longer be reached, and the failure says so.
    expect(failureOf(await flows.ended(two))?.message).toContain('which ended FAILED');
    expect(stateName((await flows.ended(between.jobId)).state)).toBe('SKIPPED');
  });

  it('fail if they would wait for their own workflow, or for steps that need them', async () => {
    const own = [
      afterJob('workflow.job_id'),
      afterStep('next', 'workflow.job_id', ENDED),
      afterStep('late', 'workflow.job_id'),
    ];
    for (const after of own) {
      const { jobId, state } = await flows.run([waits([after]), { name: 'next', needs: ['late'] }]);
      expect(stateName(state)).toBe('FAILED');
      expect((await stepOf(jobId, 'late')).reason).toMatch(
        /in a circle: step late .* waits for step late of workflow /,
      );
    }
  });

  it('do not wait for each other in a cycle that starts at once', async () => {
    const steps = [
      { name: 'a', dependsOn: [afterStep('b', 'workflow.job_id')] },
      { name: 'b', dependsOn: [afterStep('a', 'workflow.job_id')] },
    ];
    const { jobId, state } = await flows.run(steps);
    expect(stateName(state)).toBe('FAILED');
    const reasons = [(await stepOf(jobId, 'a')).reason, (await stepOf(jobId, 'b')).reason];
    expect(reasons.filter((reason) => reason.includes('in a circle'))).toHaveLength(1);
  });

  it.each([
    ['a text that is no id', { job: 'x' }, [afterJob()], 'its depends_on[0].job_id yields no job UUID'],
    ['a number', { job: 7 }, [afterJob()], 'its depends_on[0].job_id yields no string'],
    [
      'no name',
      { asset: 'No!' },
      [afterAsset('workflow.input.asset')],
      'its depends_on[0].asset yields no valid asset name',
    ],
    ['nothing', {}, [afterJob()], 'job'],
  ] as const)('fail for an expression that returns %s', async (_what, input, after, reason) => {
    const ended = await flows.run([waits(after)], input);
    expect(stateName(ended.state)).toBe('FAILED');
    const step = await stepOf(ended.jobId, 'late');
    expect([step.state, step.jobId]).toEqual([StepState.FAILED, '']);
    expect(step.reason).toContain(reason);
  });

  it('fail for an unknown target', async () => {
    const job = randomUUID();
    const play = await flows.ended(await flows.submit('play'));
    const flow = await flows.run([{ name: 'a' }]);
    const cases = [
      [afterJob(), job, `depends_on[0].job_id: namespace default has no job ${job} to depend on`],
      [afterStep('a'), job, `depends_on[0].step.workflow_job_id: namespace default has no job ${job} to depend on`],
      [afterStep('a'), play.jobId, `depends_on[0].step.workflow_job_id: job ${play.jobId} is a task and has no steps`],
      [afterStep('b'), flow.jobId, `has no step b`],
    ] as const;
    for (const [after, id, reason] of cases) {
      const ended = await flows.run([waits([after])], { job: id });
      expect(stateName(ended.state)).toBe('FAILED');
      expect((await stepOf(ended.jobId, 'late')).reason).toContain(reason);
    }
  });

  it('are refused when they are applied, field by field', async () => {
    const after = [
      create(DependencyExpressionSchema, {}),
      afterJob(''),
      create(DependencyExpressionSchema, { on: { case: 'asset', value: '"sales"' }, condition: ENDED }),
      afterStep('No'),
      afterJob('steps.nobody.output', 9 as DependencyCondition),
      afterAsset('1 +'),
    ];
    const refusal = await flows.define([waits(after)]).catch((error) => error);
    const found = (refusal.fieldViolations as { field: string; description: string }[]).map(
      ({ field, description }) => `${field.replace('definition.workflow.steps[0].', '')} ${description}`,
    );
    expect(found).toEqual(
      expect.arrayContaining([
        'depends_on[0] is missing: set job_id, step or asset',
        'depends_on[2].condition has no meaning for an asset, which is met by a publication; leave it out',
        'depends_on[3].step.step is not a step name: write the name, not an expression',
        'depends_on[4].condition has the unknown value 9',
      ]),
    );
    const many = Array.from({ length: 101 }, () => afterJob());
    await expect(flows.define([waits(many)])).rejects.toThrow(
      'depends_on has 101 entries; at most 100 are allowed: a step before can wait for more',
    );
    for (const [wrong, field] of [
      [afterJob(''), 'depends_on[0].job_id'],
      [afterAsset('1 +'), 'depends_on[0].asset'],
      [afterAsset('7'), 'depends_on[0].asset'],
      [afterStep('b', 'steps.nobody.output'), 'depends_on[0].step.workflow_job_id'],
    ] as const)
      await expect(flows.define([waits([wrong])])).rejects.toThrow(`definition.workflow.steps[0].${field} `);
  });
});
