/** Expressions that cost too much: their workflows end, and the replica answers meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, resultOf, type Step, startOn, stateName } from './flows.ts';

const text = 'a'.repeat(480_000);
const sum = `size(${Array.from({ length: 200 }, () => 'workflow.input.s').join('+')}) > 1`;
const search = 'workflow.input.s.matches("(a|b)*a(a|b){9}[bc]$")';
const bytes = 'it makes more than 32 MiB of texts and lists: let it combine less, or do this in a job';
const steps = 'it costs more than 1000000 steps: let it compare or search less, or do this in a job';

describe.each(databaseKinds)('expressions that cost too much on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  it.each<[string, Step, string]>([
    ['a condition that adds a long text 200 times', { name: 'a', condition: sum }, `condition: ${bytes}`],
    ['a condition that searches a long text', { name: 'a', condition: search }, `condition: ${steps}`],
    ['an input', { name: 'a', input: sum }, `input: ${bytes}`],
    ['the list of a fan-out', { name: 'a', fanOut: { items: `[${search}]` } }, `fan_out.items: ${steps}`],
    [
      'the condition of a loop',
      { name: 'a', loop: { repeatCondition: search, maxIterations: 3 } },
      `loop.repeat_condition: ${steps}`,
    ],
  ])('end their workflow FAILED: %s', async (_what, step, problem) => {
    const jobId = await flows.submit(await flows.define([step]), { s: text });
    const asked = performance.now();
    const others = await Promise.all(Array.from({ length: 5 }, () => flows.run([{ name: 'a' }])));
    expect(others.map(({ state }) => stateName(state))).toEqual(Array(5).fill('SUCCEEDED'));
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.type]).toEqual(['FAILED', 'StepFailed']);
    expect(failureOf(job)?.message).toBe(`step "a": ${problem}`);
    expect(performance.now() - asked).toBeLessThan(20_000);
  });

  it('end their workflow FAILED: its output', async () => {
    const job = await flows.run([{ name: 'a' }], { s: text }, { output: sum });
    expect(failureOf(job)).toMatchObject({ type: 'OutputExpression', message: `its output: ${bytes}` });
  });

  it('are spread over transactions: items whose inputs cost as much as they may', async () => {
    const search = Array.from({ length: 28 }, () => 'size(workflow.input.s) == 1').join(' || ');
    const steps = [
      {
        name: 'a',
        fanOut: { items: 'workflow.input.items' },
        input: `{"give": ${search} ? 0.0 : item * 2.0}`,
      },
    ];
    const items = Array.from({ length: 40 }, (_, i) => i);
    const job = await flows.run(steps, { s: text, items });
    expect(resultOf(job)).toEqual({ a: items.map((n) => 2 * n) });
  });

  it('refuse the job whose key they give', async () => {
    const key = 'input.s.matches("(a|b)*a(a|b){9}c$") ? "a" : "b"';
    const task = await flows.task({ keyLimit: { key, maxConcurrency: 1 } });
    await expect(flows.submit(task, { s: text })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      message: expect.stringContaining('gives no key_limit.key by input.s.matches'),
    });
    const job = await flows.ended(await flows.submit(task, { s: 'aaa', give: 1 }));
    expect(resultOf(job)).toBe(1);
  });

  it('are refused when they are applied if no value could make them cheap', async () => {
    const condition = '"a".matches("((a{10}){10}){10}[\\\\pL]{900}")';
    await expect(flows.define([{ name: 'a', condition }])).rejects.toMatchObject({
      message: expect.stringMatching(
        /steps\[0\]\.condition has a regular expression that costs more than 1000000 steps/,
      ),
    });
  });
});
