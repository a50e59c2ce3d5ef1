/** The succeeded steps of failed work are compensated: last ends first, each to its end, whatever happens meanwhile. */

import { durationFromMs } from '@muster-jobs/sdk';
import { StepState, WorkflowPhase } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import {
  type Flows,
  failureOf,
  type Part,
  type Place,
  plays,
  resultOf,
  type Step,
  StepRole,
  startOn,
  stateName,
  witness,
} from './flows.ts';

describe.each(databaseKinds)('compensations on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** A step whose compensation is recorded as `no-` and its name. */
  const undone = (name: string, needs: readonly string[] = [], undo: Part = {}, own: Part = {}): Step => ({
    name,
    needs: [...needs],
    input: plays(name, own),
    compensation: { definition: 'play', input: plays(`no-${name}`, undo) },
  });
  const bad = (...needs: string[]): Step => ({ name: 'bad', needs, input: plays('bad', { fail: 'broken' }) });
  const startsUnder = async (jobId: string) => flows.startsOf(await flows.children(jobId));
  const stepsOf = async (jobId: string) => (await flows.client.listWorkflowSteps(jobId)).steps;

  it('run after a failure in the reverse order of the ends, before all clean-up', async () => {
    const [first, second] = [flows.name('first'), flows.name('second')];
    const jobId = await flows.submit(
      await flows.define([
        undone('a'),
        undone('slow', ['a'], {}, { hold: first }),
        undone('quick', ['a']),
        { name: 'plain', needs: ['quick'] },
        { ...bad('slow', 'quick'), input: plays('bad', { fail: 'broken', hold: second }) },
        undone('never', ['bad']),
        { name: 'sorry', role: StepRole.ON_FAILURE },
        { name: 'tidy', role: StepRole.FINALLY },
      ]),
    );
    await flows.hasStarted('plain');
    flows.reopen(first);
    flows.reopen(second);
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['FAILED', 'step "bad": broken']);
    expect((await startsUnder(jobId)).slice(-5)).toEqual(['no-slow', 'no-quick', 'no-a', 'sorry', 'tidy']);
    const steps = await stepsOf(jobId);
    const states = steps.map(({ name, compensation }) => [name, compensation?.state]);
    const { SUCCEEDED } = StepState;
    expect(states.slice(0, 4)).toEqual([
      ['a', SUCCEEDED],
      ['slow', SUCCEEDED],
      ['quick', SUCCEEDED],
      ['plain', undefined],
    ]);
    const children = await flows.children(jobId);
    expect(children.map(({ jobId }) => jobId)).toContain(steps[0]?.compensation?.jobId);
    expect(steps[0]?.compensation?.endTime).toBeDefined();
    expect(states.slice(4).every(([, state]) => state === undefined)).toBe(true);
  });

  it('do not run if the work succeeds, also if a later phase fails', async () => {
    const steps = [undone('a'), { name: 'tidy', role: StepRole.FINALLY, input: plays('tidy', { fail: 'broken' }) }];
    const job = await flows.run(steps);
    expect(failureOf(job)?.message).toBe('step "tidy": broken');
    expect(await startsUnder(job.jobId)).toEqual(['a', 'tidy']);
    expect((await stepsOf(job.jobId))[0]?.compensation?.state).toBe(StepState.WAITING);
  });

  it('get the output of the step or their expression, the input and the earlier steps', async () => {
    const job = await flows.run(
      [
        { name: 'a', input: plays('a', { give: { as: 'undo-a', id: 7 } }), compensation: { definition: 'play' } },
        {
          name: 'b',
          needs: ['a'],
          input: plays('b', { give: { id: 8 } }),
          compensation: {
            definition: 'play',
            input: '{"as": "undo-b", "id": output.id, "a": steps.a.output.id, "of": workflow.input.of}',
          },
        },
        { ...bad('c') },
        {
          name: 'c',
          needs: ['b'],
          loop: { repeatCondition: 'output.n < 2', maxIterations: 5 },
          input: '{"as": "c", "n": iteration}',
          compensation: { definition: 'play', input: '{"as": "undo-c", "n": output.n}' },
        },
      ],
      { of: 'me' },
    );
    expect(stateName(job.state)).toBe('FAILED');
    expect(flows.startsAs('undo-c').at(-1)?.part).toEqual({ as: 'undo-c', n: 2 });
    expect(flows.startsAs('undo-b').at(-1)?.part).toEqual({ as: 'undo-b', id: 8, a: 7, of: 'me' });
    expect(flows.startsAs('undo-a').at(-1)?.part).toEqual({ as: 'undo-a', id: 7 });
  });

  it('follow a cancel and the end of the total timeout, and are interrupted by neither', async () => {
    const tag = flows.name('undoing');
    const steps = (hold: string): Step[] => [
      undone('a'),
      undone('b', ['a'], { hold: `${hold}-undo` }),
      { name: 'work', needs: ['b'], input: plays(hold, { hold }) },
    ];
    const jobId = await flows.submit(await flows.define(steps(tag)));
    await flows.hasStarted(tag);
    await flows.client.cancel(jobId, 'not wanted');
    const undoing = flows.startsAs('no-b').length + 1;
    await flows.hasStarted('no-b', undoing);
    const before = flows.stopped.length;
    await flows.client.cancel(jobId, 'again');
    const workflow = await flows.client.getWorkflow(jobId);
    expect(workflow.phase).toBe(WorkflowPhase.COMPENSATION);
    expect((await flows.client.explain(jobId)).summary).toContain('0 of 2 steps have ended');
    flows.reopen(`${tag}-undo`);
    const job = await flows.ended(jobId);
    expect(stateName(job.state)).toBe('CANCELLED');
    expect(flows.stopped).toHaveLength(before);
    expect((await startsUnder(jobId)).slice(-2)).toEqual(['no-b', 'no-a']);

    const late = flows.name('late');
    flows.reopen(`${late}-undo`);
    const timed = await flows.submit(await flows.define(steps(late), {}, { totalTimeout: durationFromMs(5_000) }));
    expect(failureOf(await flows.ended(timed))?.type).toBe('TotalTimeout');
    expect((await startsUnder(timed)).slice(-2)).toEqual(['no-b', 'no-a']);
  });

  it('are reported if they fail, and the others continue', async () => {
    const job = await flows.run([
      undone('a'),
      undone('b', ['a'], { fail: 'stuck' }),
      { name: 'c', needs: ['b'], compensation: { definition: 'play', input: '{"as": output.nothing}' } },
      bad('c'),
    ]);
    const [a, b, c] = await stepsOf(job.jobId);
    expect(failureOf(job)?.message).toBe(
      `step "bad": broken; step "c" is not undone: ${c?.compensation?.reason}; step "b" is not undone: job ${b?.compensation?.jobId} failed`,
    );
    expect([a, b, c].map((step) => step?.compensation?.state)).toEqual([
      StepState.SUCCEEDED,
      StepState.FAILED,
      StepState.FAILED,
    ]);
    expect((await startsUnder(job.jobId)).slice(-2)).toEqual(['no-b', 'no-a']);
  });

  it('work for workflows in workflows, and can be workflows', async () => {
    const inner = await flows.define([undone('inner')]);
    const undo = await flows.define([{ name: 'one' }, { name: 'two', needs: ['one'] }]);
    const job = await flows.run([{ name: 'sub', definition: inner, compensation: { definition: undo } }, bad('sub')]);
    expect(stateName(job.state)).toBe('FAILED');
    const [sub] = await stepsOf(job.jobId);
    expect(sub?.compensation?.state).toBe(StepState.SUCCEEDED);
    expect(await startsUnder(sub?.compensation?.jobId ?? '')).toEqual(['one', 'two']);
    expect(await startsUnder(sub?.jobId ?? '')).toEqual(['inner']);
  });

  it('make a retry run the compensated steps and later ones again; the rest is taken over', async () => {
    const name = await flows.define([
      { name: 'kept' },
      undone('a', ['kept']),
      { name: 'after', needs: ['a'] },
      { name: 'bad', needs: ['after'], input: plays('bad', { fail: 'x' }) },
      witness('a'),
    ]);
    const failed = await flows.ended(await flows.submit(name));
    const retried = await flows.ended((await flows.client.retry(failed.jobId)).jobId);
    expect(await startsUnder(retried.jobId)).toEqual(['a', 'after', 'bad', 'no-a', 'witness']);
    expect(resultOf(retried)).toBeUndefined();
  });
});
