/** The values that workflows pass from step to step: inputs, outputs, conditions, and the result. */

import { FailureCause } from '@muster-jobs/sdk';
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

describe.each(databaseKinds)('values of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  it('pass outputs along a chain, and the result is the output of its leaf', async () => {
    const job = await flows.run(
      [
        { name: 'a', input: '{"as": "a", "give": {"n": workflow.input.n + 1}}' },
        { name: 'b', needs: ['a'], input: '{"as": "b", "give": {"n": steps.a.output.n * 10}}' },
        { name: 'c', needs: ['b'], input: '{"as": "c", "give": [steps.a.output.n, steps.b.output.n, steps.a.state]}' },
      ],
      { n: 2 },
    );
    expect(stateName(job.state)).toBe('SUCCEEDED');
    expect(resultOf(job)).toEqual({ c: [3, 30, 'SUCCEEDED'] });
    expect(job.attempt).toBe(0);
    const children = await flows.children(job.jobId);
    expect(children.map(({ parentJobId }) => parentJobId)).toEqual([job.jobId, job.jobId, job.jobId]);
    expect(flows.startsOf(children)).toEqual(['a', 'b', 'c']);
  });

  it('join a diamond, and the result is what its output says', async () => {
    const job = await flows.run(
      [
        { name: 'top', input: '{"as": "top", "give": 1}' },
        { name: 'left', needs: ['top'], input: '{"as": "left", "give": steps.top.output + 1}' },
        { name: 'right', needs: ['top'], input: '{"as": "right", "give": steps.top.output + 2}' },
        {
          name: 'join',
          needs: ['left', 'right'],
          input: '{"as": "join", "give": steps.left.output + steps.right.output}',
        },
      ],
      {},
      { output: '{"sum": steps.join.output, "of": [steps.left.output, steps.right.output], "job": workflow.job_id}' },
    );
    expect(resultOf(job)).toEqual({ sum: 5, of: [2, 3], job: job.jobId });
    const started = flows.startsOf(await flows.children(job.jobId));
    expect([started[0], started.slice(1, 3).sort(), started[3]]).toEqual(['top', ['left', 'right'], 'join']);
  });

  it('join behind a skipped branch', async () => {
    const steps = [
      { name: 'yes', condition: 'workflow.input.n > 1' },
      { name: 'no', condition: 'workflow.input.n <= 1' },
      { name: 'behind', needs: ['no'] },
      {
        name: 'join',
        needs: ['yes', 'behind'],
        triggerRule: TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        input:
          '{"as": "join", "give": [steps.yes.state, steps.no.state, steps.behind.state, string(has(steps.no.output))]}',
      },
    ];
    const name = await flows.define(steps);
    const [high, low] = await Promise.all([flows.submit(name, { n: 2 }), flows.submit(name, { n: 1 })]);
    expect(resultOf(await flows.ended(high))).toEqual({ join: ['SUCCEEDED', 'SKIPPED', 'SKIPPED', 'false'] });
    expect(resultOf(await flows.ended(low))).toEqual({ join: ['SKIPPED', 'SUCCEEDED', 'SUCCEEDED', 'true'] });
    expect(flows.startsOf(await flows.children(high))).toEqual(['yes', 'join']);
  });

  it('leave skipped steps out of the result, which is empty if all are', async () => {
    const job = await flows.run([{ name: 'a', condition: 'false' }, { name: 'b', needs: ['a'] }, witness('a', 'b')]);
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', {}]);
    expect(flows.startsOf(await flows.children(job.jobId))).toEqual(['witness']);
    expect(flows.statesOf(job.jobId)).toEqual({ a: 'SKIPPED', b: 'SKIPPED' });
  });

  it.each([
    ['is false', 'workflow.input.yes == false', undefined],
    ['gives no truth value', '{"a": 1}.a', 'its condition gives no truth value'],
    ['names what is not there', 'workflow.input.nothing == 1', /no such key|nothing/],
  ])('do not start a step whose condition %s', async (_, condition, fault) => {
    const job = await flows.run([{ name: 'a', condition }], { yes: true });
    expect(await flows.children(job.jobId)).toEqual([]);
    if (fault === undefined) return expect(stateName(job.state)).toBe('SUCCEEDED');
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)?.type).toBe('StepFailed');
    expect(failureOf(job)?.message).toMatch(typeof fault === 'string' ? `step "a": ${fault}` : fault);
  });

  it.each([
    ['an input', [{ name: 'a', input: '{"x": workflow.input.missing.x}' }], {}, 'StepFailed', 'step "a": '],
    ['its output', [{ name: 'a' }], { output: 'workflow.input.missing' }, 'OutputExpression', 'its output: '],
  ])('fail with the error of %s', async (_, steps, flow, type, message) => {
    const job = await flows.run(steps, {}, flow);
    expect([stateName(job.state), failureOf(job)?.type]).toEqual(['FAILED', type]);
    expect(failureOf(job)?.message.startsWith(message)).toBe(true);
    expect(failureOf(job)?.cause).toBeUndefined();
    expect(failureOf(job)?.failureCause).toBe(FailureCause.APPLICATION);
  });

  it('pass the workflow’s input to steps without their own, byte for byte', async () => {
    const name = await flows.define([{ name: 'a', input: '' }]);
    const jobId = await flows.submit(name, { give: ['as', 'it', 'is'], n: 1.5 });
    expect(resultOf(await flows.ended(jobId))).toEqual({ a: ['as', 'it', 'is'] });
    const [child] = await flows.children(jobId);
    const [own, handed] = await Promise.all([flows.client.get(jobId), flows.client.get(child?.jobId ?? '')]);
    expect(handed.input).toEqual(own.input);
  });

  it('are null for an empty output, of a step and of items', async () => {
    const input = plays('quiet', { returns: 'nothing' });
    const job = await flows.run([
      { name: 'one', input },
      { name: 'each', fanOut: { items: '[1, 2]' }, input },
      { name: 'next', needs: ['one', 'each'], input: '{"give": [has(steps.one.output), steps.each.output]}' },
      { name: 'last', input },
    ]);
    expect(failureOf(job)).toBeUndefined();
    expect(resultOf(job)).toEqual({ last: null, next: [false, [null, null]] });
  });

  it('can not be read from an output that is not JSON, though a step that ignores it runs', async () => {
    const bytes = { name: 'a', input: plays('raw', { returns: 'bytes' }) };
    const read = await flows.run([bytes, { name: 'b', needs: ['a'], input: '{"give": steps.a.output}' }]);
    const why = 'the output of step "a" is application/octet-stream, not JSON';
    expect(failureOf(read)?.message).toBe(`step "b": ${why}`);
    expect(failureOf(await flows.run([bytes]))).toMatchObject({
      type: 'OutputExpression',
      message: `its output: ${why}`,
    });
    const ignored = await flows.run([bytes, { name: 'b', needs: ['a'], input: plays('b', { give: 1 }) }]);
    expect(resultOf(ignored)).toEqual({ b: 1 });
  });

  it('are refused if they are too large: inputs of steps, and the output', async () => {
    const text = 'x'.repeat(300_000);
    const inputs = await flows.run([{ name: 'a', input: '[workflow.input, workflow.input]' }], text);
    expect(failureOf(inputs)?.message).toBe(
      'step "a": its input is 600007 bytes; at most 524288 are allowed. Keep large data elsewhere and pass a reference',
    );
    const output = await flows.run([{ name: 'a' }], text, { output: '[workflow.input, workflow.input]' });
    expect(failureOf(output)).toMatchObject({ type: 'OutputTooLarge' });
  });

  it('are refused as an output that does not match the schema', async () => {
    const outputJsonSchema = '{"type": "object", "required": ["n"]}';
    const name = await flows.define([{ name: 'a' }], { output: 'workflow.input' }, { outputJsonSchema });
    const [good, bad] = [await flows.submit(name, { n: 1 }), await flows.submit(name, {})];
    expect(resultOf(await flows.ended(good))).toEqual({ n: 1 });
    expect(failureOf(await flows.ended(bad))).toMatchObject({
      type: 'OutputSchemaViolation',
      message: expect.stringMatching(
        /^the result does not fit the schema of version 1: .*must have required property 'n'/,
      ),
    });
  });

  it('come from the version that a step names, or else the newest', async () => {
    const task = flows.name('task');
    const definition = { name: task, body: { case: 'task', value: { handler: 'play' } } } as const;
    await flows.client.applyDefinition({ ...definition, priority: 1 });
    const name = await flows.define([
      { name: 'old', definition: task, definitionVersion: 1, input: '{"as": "old"}' },
      { name: 'fresh', definition: task, input: '{"as": "fresh"}' },
    ]);
    await flows.client.applyDefinition({ ...definition, priority: 2 });
    const jobId = await flows.submit(name);
    await flows.ended(jobId);
    const versions = (await flows.children(jobId)).map((job) => job.definitionVersion);
    expect(versions.sort()).toEqual([1, 2]);
  });
});
