/** Steps that take the result of an earlier job: of which jobs, for how long, and how that is shown. */

import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type DefinitionInit, durationFromMs, type WorkflowStepRun } from '@muster-jobs/sdk';
import { StepCacheSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import {
  type Flows,
  failureOf,
  type Part,
  type Place,
  plays,
  resultOf,
  type Step,
  startOn,
  stateName,
} from './flows.ts';

const cacheOf = (key = '', maxAgeMs = 3_600_000) => create(StepCacheSchema, { maxAge: durationFromMs(maxAgeMs), key });
const hour = cacheOf();

describe.each(databaseKinds)('cached steps on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** A cached step whose job is recorded under a name of its own. */
  const cached = (as: string, part: Part = {}, more: Partial<Step> = {}): Step => ({
    name: 'a',
    input: plays(as, part),
    cache: hour,
    ...more,
  });
  const stepsOf = async (jobId: string) => (await flows.client.listWorkflowSteps(jobId)).steps;
  const firstOf = async (jobId: string) => (await stepsOf(jobId))[0] as WorkflowStepRun;
  const count = (as: string) => flows.startsAs(as).length;

  it('take the output of a job with the same input, and show that', async () => {
    const as = flows.name('as');
    const steps: Step[] = [
      cached(as, { give: { n: 7 } }),
      { name: 'b', needs: ['a'], input: '{"as": "b", "n": steps.a.output.n, "state": steps.a.state}' },
    ];
    const name = await flows.define(steps, { output: '{"n": steps.b.output.n}' });
    const first = await flows.ended(await flows.submit(name));
    const own = await firstOf(first.jobId);
    const second = await flows.ended(await flows.submit(name));
    expect([count(as), resultOf(first), resultOf(second)]).toEqual([1, { n: 7 }, { n: 7 }]);

    const step = await firstOf(second.jobId);
    expect([own.cached, step.cached]).toEqual([false, true]);
    expect([step.state, step.jobId, step.reason]).toEqual([
      StepState.SUCCEEDED,
      own.jobId,
      `cached: result of job ${own.jobId}`,
    ]);
    expect(step.startTime).toEqual(step.endTime);
    const taken = step.startTime ? timestampMs(step.startTime) : 0;
    expect(taken).toBeGreaterThanOrEqual(timestampMs(own.endTime as NonNullable<typeof own.endTime>));
    expect((await flows.children(second.jobId)).map(({ definition }) => definition)).toEqual(['play']);
    const { cachedCount: hits, succeededCount: succeeded } = await flows.client.getWorkflow(second.jobId);
    expect([hits, succeeded, (await flows.client.getWorkflow(first.jobId)).cachedCount]).toEqual([1, 2, 0]);
  });

  it('share results by definition, version and input, across steps and workflows, and no further', async () => {
    const [as, task] = [flows.name('as'), await flows.task()];
    const step = { definition: task, input: `{"as": "${as}", "x": workflow.input.x, "y": 1}`, cache: hour };
    await flows.run([{ name: 'one', ...step }], { x: { p: 1, q: [2] } });
    const other: Step = { name: 'other', ...step, input: `{"y": 1.0, "x": workflow.input.x, "as": "${as}"}` };
    await flows.run([other, { name: 'after', ...step, needs: ['other'] }], { x: { q: [2], p: 1 } });
    expect(count(as)).toBe(1);
    await flows.run([{ name: 'one', ...step }], { x: { p: 1, q: [3] } });
    expect(count(as)).toBe(2);
    await flows.run([{ name: 'one', ...step, definition: await flows.task() }], { x: { p: 1, q: [2] } });
    expect(count(as)).toBe(3);
    const { cache: _, ...without } = step;
    await flows.run([{ name: 'one', ...without }], { x: { p: 1, q: [2] } });
    expect(count(as)).toBe(4);

    await flows.client.applyDefinition({ name: task, body: { case: 'task', value: { handler: 'play' } }, priority: 7 });
    await flows.run([{ name: 'one', ...step }], { x: { p: 1, q: [2] } });
    expect(count(as)).toBe(5);
    await flows.run([{ name: 'one', ...step, definitionVersion: 1 }], { x: { p: 1, q: [2] } });
    expect(count(as)).toBe(5);
  });

  it('without an input of their own compare the whole input of the workflow', async () => {
    const name = await flows.define([{ name: 'a', input: '', cache: hour }]);
    const as = flows.name('as');
    for (const x of [1, 2, 1]) await flows.ended(await flows.submit(name, { as, x }));
    expect(count(as)).toBe(2);
  });

  it('compare their key instead if they have one', async () => {
    const as = flows.name('as');
    const steps = (input: string): Step[] => [
      { name: 'a', input, cache: cacheOf('[workflow.input.file, steps.before.output.v]'), needs: ['before'] },
      { name: 'before', input: '{"as": "before", "v": workflow.input.v}' },
    ];
    const name = await flows.define(steps(`{"as": "${as}", "run": workflow.job_id}`));
    const run = async (input: unknown) => firstOf((await flows.ended(await flows.submit(name, input))).jobId);
    const found: boolean[] = [];
    for (const input of [
      { file: 'f', v: 1 },
      { file: 'f', v: 1 },
      { file: 'g', v: 1 },
      { file: 'f', v: 2 },
    ])
      found.push((await run(input)).cached);
    expect(found).toEqual([false, true, false, false]);
    expect(count(as)).toBe(3);
  });

  it('fail with a reason if their key has no value', async () => {
    const job = await flows.run([cached('never', {}, { cache: cacheOf('workflow.input.nothing') })]);
    expect(failureOf(job)?.message).toMatch(/^step "a": .*nothing/);
    expect(count('never')).toBe(0);
  });

  it('take no result older than their maximum age', async () => {
    const as = flows.name('as');
    const briefly = cacheOf('', 1_000);
    const [long, brief] = [await flows.define([cached(as)]), await flows.define([cached(as, {}, { cache: briefly })])];
    await flows.ended(await flows.submit(long));
    await eventually('a result is too old for who wants a young one', async () => {
      await flows.ended(await flows.submit(brief));
      return count(as) === 2;
    });
    // The newer result is young enough for every step.
    const step = await firstOf((await flows.ended(await flows.submit(long))).jobId);
    expect([step.cached, step.jobId]).toEqual([true, flows.startsAs(as)[1]?.jobId]);
  });

  it('take no result of a job that failed or was erased', async () => {
    const as = flows.name('as');
    const failing = await flows.define([cached(as, { fail: 'broken' })]);
    for (let i = 0; i < 2; i++) await flows.ended(await flows.submit(failing));
    expect(count(as)).toBe(2);

    const erased = flows.name('as');
    const name = await flows.define([cached(erased)]);
    const { jobId } = await firstOf((await flows.ended(await flows.submit(name))).jobId);
    await flows.client.erase(jobId, 'asked for');
    const step = await firstOf((await flows.ended(await flows.submit(name))).jobId);
    expect([step.cached, count(erased)]).toEqual([false, 2]);
  });

  it('that run at the same time both have a job; the later result is kept', async () => {
    const [as, hold] = [flows.name('as'), flows.name('hold')];
    const key = cacheOf(`"${as}"`);
    const slow = await flows.submit(await flows.define([cached(as, { hold, give: 'slow' }, { cache: key })]));
    await flows.hasStarted(as);
    const quick = await flows.run([cached(as, { give: 'quick' }, { cache: key })]);
    const third = await flows.define([cached(as, { give: 'third' }, { cache: key })]);
    expect(resultOf(await flows.ended(await flows.submit(third)))).toEqual({ a: 'quick' });
    flows.reopen(hold);
    await flows.ended(slow);
    expect(resultOf(await flows.ended(await flows.submit(third)))).toEqual({ a: 'slow' });
    expect([count(as), stateName(quick.state)]).toEqual([2, 'SUCCEEDED']);
  });

  it('can be workflows, of which then nothing runs', async () => {
    const as = flows.name('as');
    const inner = await flows.define([{ name: 'x', input: plays(as, { give: 5 }) }], { output: 'steps.x.output' });
    const steps: Step[] = [{ name: 'a', definition: inner, cache: hour }];
    const name = await flows.define(steps, { output: 'steps.a.output + 1.0' });
    const results = [];
    for (let i = 0; i < 2; i++) results.push(resultOf(await flows.ended(await flows.submit(name))));
    expect([results, count(as)]).toEqual([[6, 6], 1]);
  });

  it('stay cached in a retry that takes them over, and survive a cancel of the workflow that took them', async () => {
    const [as, hold] = [flows.name('as'), flows.name('hold')];
    await flows.run([cached(as, { give: { n: 3 } })]);
    const steps: Step[] = [
      cached(as, { give: { n: 3 } }),
      { name: 'b', needs: ['a'], input: `{"as": "${hold}", "hold": "${hold}", "n": steps.a.output.n}` },
    ];
    const jobId = await flows.submit(await flows.define(steps));
    await flows.hasStarted(hold);
    await flows.client.cancel(jobId, 'enough');
    await flows.ended(jobId);
    const { jobId: earlier } = await firstOf(jobId);
    expect(stateName((await flows.client.get(earlier)).state)).toBe('SUCCEEDED');
    flows.reopen(hold);
    const retried = await flows.ended((await flows.client.retry(jobId)).jobId);
    const step = await firstOf(retried.jobId);
    expect([step.cached, step.jobId, step.reason]).toEqual([true, earlier, `adopted from ${jobId}`]);
    expect([stateName(retried.state), count(as), flows.startsAs(hold).at(-1)?.part.n]).toEqual(['SUCCEEDED', 1, 3]);
  });

  it.runIf(runsAll)('work by the thousand, for more steps than one transaction reads', async () => {
    const as = flows.name('as');
    const key = cacheOf(`"${as}"`);
    await flows.run([cached(as, {}, { cache: key })]);
    const steps = Array.from({ length: 1_200 }, (_, i) => cached(as, {}, { name: `s${i}`, cache: key }));
    const job = await flows.run([...steps, { name: 'last', needs: ['s0', 's1199'] }], {}, { output: 'true' });
    expect([stateName(job.state), count(as)]).toEqual(['SUCCEEDED', 1]);
    expect((await flows.client.getWorkflow(job.jobId)).cachedCount).toBe(1_200);
  });

  it('wait each time if their definition has become a wait since', async () => {
    const task = await flows.task();
    const name = await flows.define([{ name: 'a', definition: task, cache: hour }]);
    await flows.ended(await flows.submit(name, { as: 'x' }));
    const wait = { case: 'wait' as const, value: { kind: { case: 'approval' as const, value: {} } } };
    await flows.client.applyDefinition({ name: task, body: wait } as DefinitionInit);
    for (let i = 0; i < 2; i++) {
      const jobId = await flows.submit(name, { as: 'x' });
      const waiting = () => firstOf(jobId).then((step) => (step.state === StepState.RUNNING ? step : undefined));
      const step = (await eventually('the step waits', waiting)) as WorkflowStepRun;
      await flows.client.approve(step.jobId);
      expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    }
  });
});
