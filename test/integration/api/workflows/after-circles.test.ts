/**
 * Dependency cycles through the phases of a workflow: compensations and final steps wait for everything before them.
 */

import { create } from '@bufbuild/protobuf';
import { DependencyCondition } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { type DependencyExpression, DependencyExpressionSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, plays, type Step, StepRole, startOn, TriggerRule } from './flows.ts';

const { ENDED } = DependencyCondition;
const { ALL_DONE, ALWAYS, ONE_SUCCESS } = TriggerRule;

const afterJob = (value = 'workflow.input.job'): DependencyExpression =>
  create(DependencyExpressionSchema, { on: { case: 'jobId', value }, condition: ENDED });
const afterStep = (step: string, workflowJobId = 'workflow.job_id'): DependencyExpression =>
  create(DependencyExpressionSchema, { on: { case: 'step', value: { workflowJobId, step } }, condition: ENDED });
const onJob = (value: string) => ({ on: { case: 'jobId', value } as const, condition: ENDED });
const onStep = (workflowJobId: string, step: string) => ({
  on: { case: 'step', value: { workflowJobId, step } } as const,
  condition: ENDED,
});
const tidy: Step = { name: 'tidy', role: StepRole.FINALLY };
const sorry: Step = { name: 'sorry', role: StepRole.ON_FAILURE };
const bad = (...needs: string[]): Step => ({ name: 'bad', needs, input: plays('bad', { fail: 'broken' }) });

describe.each(databaseKinds)('dependency cycles through steps on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** A job that starts in an hour. */
  const later = () => flows.submit('play', {}, { delayMs: 3_600_000 });
  const becomes = (jobId: string, state: string) =>
    eventually(`job ${jobId} is ${state}`, async () => (await place.world.stateOf(jobId)) === state);
  const stepOf = async (jobId: string, name: string) =>
    (await flows.client.listWorkflowSteps(jobId)).steps.find((step) => step.name === name);
  /** The job of a step or of its compensation, once it exists. */
  async function jobOf(jobId: string, name: string, of: 'step' | 'compensation' = 'step'): Promise<string> {
    let found = '';
    await eventually(`step ${name} has a job`, async () => {
      const step = await stepOf(jobId, name);
      found = (of === 'step' ? step : step?.compensation)?.jobId ?? '';
      return found !== '';
    });
    return found;
  }
  const add = (jobId: string, on: ReturnType<typeof onJob> | ReturnType<typeof onStep>) =>
    place.world.rpc.call(JobService.method.addDependencies, { jobId, dependsOn: [on] });
  const circleOf = async (jobId: string, on: ReturnType<typeof onJob> | ReturnType<typeof onStep>) => {
    const refusal = await place.world.rpc.refused(JobService.method.addDependencies, { jobId, dependsOn: [on] });
    expect(refusal.reason).toBe('DEPENDENCY_CYCLE');
    return refusal.info?.metadata.cycle;
  };

  it('are found through compensations, whose steps can wait, too', async () => {
    const undo = await flows.define([{ name: 'undo', dependsOn: [afterJob()] }]);
    const outer = await flows.define([{ name: 'inner', definition: undo }]);
    const made = (definition: string, job: string): Step => ({
      name: 'made',
      compensation: { definition, input: `{"job": "${job}"}` },
    });
    for (const definition of [undo, outer]) {
      const job = await later();
      const jobId = await flows.submit(await flows.define([made(definition, job), bad('made')]));
      const compensation = await jobOf(jobId, 'made', 'compensation');
      const inner = definition === undo ? compensation : await jobOf(compensation, 'inner');
      const waiting = await jobOf(inner, 'undo');
      await becomes(waiting, 'BLOCKED');
      expect(await circleOf(job, onJob(jobId))).toContain(
        `waits for job ${jobId} waits for job ${compensation} waits for job `,
      );
      await flows.client.cancel(job);
      expect(failureOf(await flows.ended(jobId))?.message).toBe('step "bad": broken');
      expect((await flows.ended(compensation)).outcome.case).toBe('result');
    }
  });

  it('are found through new dependencies of a compensation’s job, and through its handler’s jobs', async () => {
    const { world } = place;
    const definition = await world.define();
    const steps = ['a', 'b'].map((name): Step => ({ name, compensation: { definition } }));
    const jobId = await flows.submit(await flows.define([...steps, bad('a', 'b'), tidy]));
    let compensation = '';
    await eventually('one is taken back', async () => {
      const all = (await flows.client.listWorkflowSteps(jobId)).steps;
      compensation = all.map((step) => step.compensation?.jobId ?? '').find((id) => id !== '') ?? '';
      return compensation !== '';
    });
    expect(await circleOf(compensation, onStep(jobId, 'tidy'))).toMatch(
      /^job .* waits for step tidy of workflow .* waits for compensation of step [ab] of workflow .* waits for job /,
    );
    const job = await later();
    await add(compensation, onJob(job));
    await flows.client.cancel(job);
    const worker = await world.openWorker(definition);
    const [of] = await worker.take(1);
    if (!of) throw new Error('nothing was assigned');
    const parent = { jobId: uuidFromBytes(of.jobId), attempt: of.attempt, sessionId: worker.sessionText };
    const child = (on: ReturnType<typeof onJob>) => ({ job: { definition: 'play', dependsOn: [on] }, parent });
    const made = await world.rpc.call(JobService.method.submitJob, child(onJob(await later())));
    expect(await world.stateOf(made.jobId)).toBe('BLOCKED');
    const refusal = await world.rpc.refused(JobService.method.submitJob, child(onJob(jobId)));
    expect(refusal.reason).toBe('DEPENDENCY_CYCLE');
  });

  const slow = (step: string, ...needs: string[]): Step => ({ name: 'slow', needs, dependsOn: [afterStep(step)] });
  it.each<[string, readonly Step[]]>([
    ['a leaf that waits for none', [slow('tidy'), { name: 'last', needs: ['slow'], triggerRule: ALWAYS }, tidy]],
    [
      'a leaf that needs one only',
      [
        { name: 'quick' },
        slow('tidy', 'quick'),
        { name: 'last', needs: ['quick', 'slow'], triggerRule: ONE_SUCCESS },
        tidy,
      ],
    ],
    [
      'what may be done about a failure',
      [slow('sorry'), { name: 'last', needs: ['slow'], triggerRule: ALWAYS }, sorry],
    ],
    [
      'a final step that another one needs',
      [slow('mop'), { ...tidy, needs: [] }, { name: 'mop', role: StepRole.FINALLY, needs: ['tidy'] }],
    ],
    [
      'what finally comes behind a failure',
      [bad(), { ...slow('tidy'), role: StepRole.ON_FAILURE }, { ...sorry, needs: ['slow'], triggerRule: ALWAYS }, tidy],
    ],
    ['what is not done where nothing fails', [{ name: 'work' }, sorry, { ...slow('sorry'), role: StepRole.FINALLY }]],
    [
      'what a failure keeps from starting',
      [
        bad(),
        { name: 'held', input: plays('held', { hold: 'for ever' }) },
        { name: 'never', needs: ['held'], triggerRule: ALL_DONE },
        { ...slow('never'), role: StepRole.FINALLY },
      ],
    ],
  ])('are closed by %s', async (_what, steps) => {
    const { jobId } = await flows.run(steps);
    const reason = (await stepOf(jobId, 'slow'))?.reason;
    expect(reason).toMatch(/^depends_on: jobs would wait for each other in a circle: step slow /);
  });

  it('are closed by a compensation that waits for a final step', async () => {
    const undo = await flows.define([{ name: 'undo', dependsOn: [afterStep('tidy', 'workflow.input.job')] }]);
    const made: Step = { name: 'made', compensation: { definition: undo, input: '{"job": workflow.job_id}' } };
    const jobId = await flows.submit(await flows.define([made, bad('made'), tidy]));
    expect(failureOf(await flows.ended(jobId))?.message).toContain('step "made" is not undone');
    const compensation = await jobOf(jobId, 'made', 'compensation');
    expect((await stepOf(compensation, 'undo'))?.reason).toContain(
      `waits for step tidy of workflow ${jobId} waits for compensation of step made of workflow ${jobId} waits for job ${compensation} waits for step undo`,
    );
  });

  it('are closed through a job, or a step of another workflow', async () => {
    const last: Step = { name: 'last', needs: ['slow'], triggerRule: ALWAYS };
    const one = await flows.define([{ name: 'slow', dependsOn: [afterJob()] }, last, tidy]);
    const job = await later();
    const jobId = await flows.submit(one, { job });
    const child = await jobOf(jobId, 'slow');
    await becomes(child, 'BLOCKED');
    const other = await flows.submit(
      await flows.define([{ name: 'two', dependsOn: [afterStep('tidy', 'workflow.input.job')] }]),
      {
        job: jobId,
      },
    );
    const second = await jobOf(other, 'two');
    await becomes(second, 'BLOCKED');
    const rest = `step tidy of workflow ${jobId} waits for step slow of workflow ${jobId} waits for job ${child} waits for job ${job}`;
    expect(await circleOf(job, onStep(jobId, 'tidy'))).toBe(`job ${job} waits for ${rest}`);
    expect(await circleOf(job, onStep(other, 'two'))).toBe(
      `job ${job} waits for step two of workflow ${other} waits for job ${second} waits for ${rest}`,
    );
    await flows.client.cancel(job);
    await flows.ended(jobId);
    await flows.ended(other);
  });

  it('are closed by the end of a workflow that cleans up after a cancel', async () => {
    const job = await later();
    const name = await flows.define([
      { name: 'work', input: plays('work', { hold: flows.name('hold') }) },
      { ...tidy, dependsOn: [afterJob()] },
    ]);
    const jobId = await flows.submit(name, { job });
    await jobOf(jobId, 'work');
    await flows.client.cancel(jobId);
    await becomes(await jobOf(jobId, 'tidy'), 'BLOCKED');
    expect(await circleOf(job, onJob(jobId))).toContain(`waits for job ${jobId} waits for job `);
    await flows.client.cancel(job);
    await flows.ended(jobId);
  });

  it('are not reported for a phase that is over or comes later', async () => {
    const job = await flows.run([
      { name: 'a' },
      { name: 'b', needs: ['a'] },
      bad('b'),
      { ...sorry, dependsOn: [afterStep('b')] },
      { ...tidy, dependsOn: [afterStep('sorry'), afterStep('bad')] },
      { name: 'mop', role: StepRole.FINALLY, needs: ['tidy'] },
      { name: 'log', role: StepRole.FINALLY, dependsOn: [afterStep('mop')] },
    ]);
    expect(failureOf(job)?.message).toBe('step "bad": broken');
    for (const name of ['sorry', 'tidy', 'mop', 'log'])
      expect((await stepOf(job.jobId, name))?.state).toBe(StepState.SUCCEEDED);
  });
});
