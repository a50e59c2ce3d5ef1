/** Workflows as steps of others. */

import type { Job } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, plays, resultOf, StepRole, startOn, stateName } from './flows.ts';

const MAX = 16;

describe.each(databaseKinds)('workflows in workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** The only child of the job, the only child of that, and so on. */
  async function lineOf(jobId: string): Promise<Job[]> {
    const [child] = await flows.children(jobId);
    return child ? [child, ...(await lineOf(child.jobId))] : [];
  }

  it('pass their results to later steps', async () => {
    const inner = await flows.define([{ name: 'a', input: '{"give": workflow.input.n * 2}' }], {
      output: '{"n": steps.a.output}',
    });
    const job = await flows.run(
      [
        { name: 'first', definition: inner, input: '{"n": workflow.input.n}' },
        {
          name: 'each',
          definition: inner,
          needs: ['first'],
          fanOut: { items: '[1, 2]' },
          input: '{"n": item + steps.first.output.n}',
        },
      ],
      { n: 5 },
    );
    expect(resultOf(job)).toEqual({ each: [{ n: 22 }, { n: 24 }] });
    const children = await flows.children(job.jobId);
    expect(children.map(({ definition }) => definition)).toEqual([inner, inner, inner]);
  });

  it('pass on their failures with the causes', async () => {
    const inner = await flows.define([{ name: 'deep', input: plays('deep', { fail: 'broken' }) }]);
    const job = await flows.run([{ name: 'outer', definition: inner }]);
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)).toMatchObject({
      type: 'StepFailed',
      message: 'step "outer": step "deep": broken',
      cause: {
        type: 'StepFailed',
        message: 'step "deep": broken',
        cause: { type: 'NonRetryableError', message: 'broken' },
      },
    });
  });

  it('are cancelled down to the last, and clean up on the way', async () => {
    const tag = flows.name('grandchild');
    const innermost = await flows.define([
      { name: 'a', input: plays(tag, { hold: tag }) },
      { name: 'tidy', role: StepRole.FINALLY, input: plays(`${tag}-tidy`, {}) },
    ]);
    const inner = await flows.define([{ name: 'b', definition: innermost }]);
    const jobId = await flows.submit(await flows.define([{ name: 'c', definition: inner }]));
    await flows.hasStarted(tag);
    await flows.client.cancel(jobId, 'enough');
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['CANCELLED', 'enough']);
    expect(flows.startsAs(`${tag}-tidy`)).toHaveLength(1);
    expect(flows.stopped.filter(({ part }) => part.as === tag)).toHaveLength(1);
    const [child] = await flows.children(jobId);
    const [grandchild] = await flows.children(child?.jobId ?? '');
    expect([child, grandchild].map((one) => one && stateName(one.state))).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it(`can be ${MAX} deep, and not one more that appeared below`, { timeout: 120_000 }, async () => {
    const names = Array.from({ length: MAX }, () => flows.name('level'));
    await flows.apply(names[0] as string, [{ name: 'a', input: '{"give": "found"}' }], { output: 'steps.a.output' });
    for (const [i, name] of names.entries())
      if (i > 0)
        await flows.apply(name, [{ name: 'a', definition: names[i - 1] as string }], { output: 'steps.a.output' });
    const top = names.at(-1) as string;
    expect(resultOf(await flows.ended(await flows.submit(top)))).toBe('found');
    const below = await flows.define([{ name: 'a', input: plays('too deep', {}) }]);
    await flows.apply(names[0] as string, [{ name: 'a', definition: below }]);
    const job = await flows.ended(await flows.submit(top));
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)?.message).toMatch(/^step "a": .*it is nested in more than 15 workflows$/);
    const line = await lineOf(job.jobId);
    expect(line).toHaveLength(MAX);
    expect(flows.startsAs('too deep')).toEqual([]);
    const last = await flows.client.get(line.at(-1)?.jobId ?? '');
    expect(failureOf(last)?.type).toBe('NestedTooDeeply');
  });
});
