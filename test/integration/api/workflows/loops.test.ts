/** Steps that repeat while their condition holds. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, resultOf, startOn, stateName } from './flows.ts';

describe.each(databaseKinds)('loops on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const looping = (loop: { repeatCondition: string; maxIterations: number }, input: string) => [
    { name: 'again', loop, input },
    { name: 'next', needs: ['again'], input: '{"give": steps.again.output}' },
  ];

  it('run until their condition is met, and pass each output to the next iteration', async () => {
    const tag = flows.name('loop');
    const input = `{"as": "${tag}", "at": iteration, "before": previous, "give": {"sum": iteration + (iteration == 0 ? 0 : previous.sum)}}`;
    const steps = looping({ repeatCondition: 'output.sum < 10 && iteration < 100', maxIterations: 1_000 }, input);
    const job = await flows.run(steps);
    expect(resultOf(job)).toEqual({ next: { sum: 10 } });
    const seen = flows.startsAs(tag).map(({ part }) => [part.at, part.before]);
    expect(seen).toEqual([
      [0, null],
      [1, { sum: 0 }],
      [2, { sum: 1 }],
      [3, { sum: 3 }],
      [4, { sum: 6 }],
    ]);
    expect(await flows.children(job.jobId)).toHaveLength(6);
  });

  it('fail after the last iteration that still asks for more', async () => {
    const job = await flows.run(looping({ repeatCondition: 'true', maxIterations: 3 }, '{"give": iteration}'));
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)).toMatchObject({
      type: 'StepFailed',
      message: 'step "again": its loop still holds after 3 passes',
    });
    expect(await flows.children(job.jobId)).toHaveLength(3);
  });

  it('run once if once is enough', async () => {
    const job = await flows.run(looping({ repeatCondition: 'output > 1', maxIterations: 1 }, '{"give": 1}'));
    expect(resultOf(job)).toEqual({ next: 1 });
  });

  it.each([
    ['an iteration that fails', 'true', '{"fail": iteration == 1 ? "broken" : ""}', 'step "again": broken', 2],
    ['an iteration without an input', 'true', '{"give": iteration == 0 ? {} : previous.missing}', 'step "again": ', 1],
    ['a condition that has no value', 'output.missing', '{"give": {}}', 'step "again": ', 1],
    [
      'a condition without a truth value',
      'output',
      '{"give": 7}',
      'step "again": its loop.repeat_condition gives no truth value',
      1,
    ],
  ])('fail with %s', async (_, condition, input, message, passes) => {
    const job = await flows.run(looping({ repeatCondition: condition, maxIterations: 5 }, input));
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)?.message.startsWith(message)).toBe(true);
    expect(failureOf(job)?.type).toBe('StepFailed');
    expect(await flows.children(job.jobId)).toHaveLength(passes);
  });

  it('start no more iterations after their workflow is cancelled', async () => {
    const tag = flows.name('cancelled');
    const input = `{"as": "${tag}", "hold": iteration == 2 ? "${tag}" : "${tag}-free"}`;
    flows.reopen(`${tag}-free`);
    const jobId = await flows.submit(await flows.define(looping({ repeatCondition: 'true', maxIterations: 9 }, input)));
    await flows.hasStarted(tag, 3);
    await flows.client.cancel(jobId);
    expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
    expect(flows.startsAs(tag)).toHaveLength(3);
  });
});
