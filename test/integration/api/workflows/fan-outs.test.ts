/** Steps that run once for each item of a list. */

import { StepRole } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { type Flows, failureOf, type Place, resultOf, startOn, stateName, witness } from './flows.ts';

describe.each(databaseKinds)('fan-outs on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const items = 'workflow.input.items';
  const each = (fanOut: object, input = 'item') => [
    { name: 'each', fanOut: { items, ...fanOut }, input },
    witness('each'),
  ];
  /** The ends of the items' jobs, without the witness. */
  const ends = async (jobId: string) => {
    const children = await flows.children(jobId);
    const [, ...rest] = children.map(({ state }) => stateName(state));
    return Object.fromEntries(
      Array.from(
        Map.groupBy(rest, (state) => state),
        ([state, all]) => [state, all.length],
      ),
    );
  };

  it('return the outputs in the order of the items, in whatever order they end', async () => {
    const tag = flows.name('order');
    const name = await flows.define([
      {
        name: 'each',
        fanOut: { items },
        input: `index == 0 ? {"as": "${tag}", "give": {"n": item}, "hold": "${tag}"} : {"as": "${tag}", "give": {"n": item * 10, "at": index}}`,
      },
      { name: 'next', needs: ['each'], input: '{"give": {"all": steps.each.output, "size": size(steps.each.output)}}' },
    ]);
    const jobId = await flows.submit(name, { items: [1, 2, 3] });
    await flows.hasStarted(tag, 3);
    flows.reopen(tag);
    const all = [{ n: 1 }, { n: 20, at: 1 }, { n: 30, at: 2 }];
    expect(resultOf(await flows.ended(jobId))).toEqual({ next: { all, size: 3 } });
  });

  it('keep to max_parallel at every moment, and start items in their order', async () => {
    const tag = flows.name('narrow');
    flows.mostRunning = 0;
    const input = `{"as": "${tag}", "give": item, "hold": "${tag}-" + string(index)}`;
    const name = await flows.define([{ name: 'each', fanOut: { items, maxParallel: 3 }, input }]);
    const wanted = Array.from({ length: 30 }, (_, i) => i);
    const jobId = await flows.submit(name, { items: wanted });
    for (const i of wanted) {
      await flows.hasStarted(tag, Math.min(wanted.length, i + 3));
      expect(flows.startsAs(tag).length).toBeLessThanOrEqual(i + 3);
      flows.reopen(`${tag}-${i}`);
    }
    expect(resultOf(await flows.ended(jobId))).toEqual({ each: wanted });
    expect(flows.mostRunning).toBe(3);
    expect(
      flows
        .startsAs(tag)
        .slice(3)
        .map(({ part }) => part.give),
    ).toEqual(wanted.slice(3));
  });

  it('run all items to their ends though some fail, and then fail', async () => {
    const name = await flows.define(each({}));
    const jobId = await flows.submit(name, { items: [{ fail: 'no' }, { give: 1 }, { fail: 'no' }, { give: 2 }] });
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['FAILED', 'step "each": 2 of 4 items failed']);
    expect(failureOf(job)?.type).toBe('StepFailed');
    expect(await ends(jobId)).toEqual({ FAILED: 2, SUCCEEDED: 2 });
  });

  it('retry an item by the policy of its job, and count it as failed only after its last attempt', async () => {
    const worst = flows.name('worst');
    const definition = await flows.task({ retryPolicy: { maxAttempts: 3, minBackoffMs: 1, maxBackoffMs: 1 } });
    const name = await flows.define([
      { name: 'each', definition, fanOut: { items, maxFailed: 0 }, input: 'item' },
      witness('each'),
    ]);
    const jobId = await flows.submit(name, {
      items: [0, 1, 2].map((failures) => ({ failures, give: failures, in: name })),
    });
    expect(resultOf(await flows.ended(jobId))).toEqual({ each: [0, 1, 2] });
    expect(await ends(jobId)).toEqual({ SUCCEEDED: 3 });
    const starts = flows.starts.filter(({ part }) => part.in === name).map(({ part }) => part.failures);
    expect(starts.toSorted()).toEqual([0, 1, 1, 2, 2, 2]);
    const worse = await flows.submit(name, {
      items: [
        { give: 1, in: worst },
        { failures: 3, in: worst },
      ],
    });
    expect(failureOf(await flows.ended(worse))?.message).toBe('step "each": 1 of 2 items failed, and max_failed is 0');
    expect(flows.starts.filter(({ part }) => part.in === worst)).toHaveLength(4);
  });

  it('fail at once if more items failed than allowed, and cancel the rest', async () => {
    const tag = flows.name('rest');
    const name = await flows.define(each({ maxFailed: 1, maxParallel: 4 }));
    const hold = { as: tag, hold: tag };
    const jobId = await flows.submit(name, { items: [hold, { fail: 'no' }, hold, { fail: 'no' }, hold, hold, hold] });
    const job = await flows.ended(jobId);
    expect(failureOf(job)?.message).toBe('step "each": 2 of 7 items failed, and max_failed is 1');
    const { CANCELLED = 0, FAILED, ...others } = await ends(jobId);
    expect([FAILED, others]).toEqual([2, {}]);
    expect(CANCELLED).toBeLessThanOrEqual(3);
    expect(flows.statesOf(jobId)).toEqual({ each: 'FAILED' });
  });

  it('succeed early when a rule is met, and cancel the rest', async () => {
    const tag = flows.name('early');
    const successPolicy = [{ indexes: '0', count: 1 }, { count: 3 }];
    const steps = each({ successPolicy });
    const name = await flows.define(steps);
    const hold = { as: tag, hold: tag };
    const first = await flows.submit(name, { items: [{ give: 'it' }, hold, hold] });
    expect(resultOf(await flows.ended(first))).toEqual({ each: ['it', null, null] });
    // The last item waits, because a success could overtake the failing item.
    const last = { give: 3, hold: flows.name('last') };
    const three = await flows.submit(name, { items: [hold, { give: 1 }, { fail: 'no' }, { give: 2 }, last] });
    await eventually('one has failed', async () => (await ends(three)).FAILED === 1);
    flows.reopen(last.hold);
    expect(resultOf(await flows.ended(three))).toEqual({ each: [null, 1, null, 2, 3] });
    expect(await ends(three)).toEqual({ CANCELLED: 1, FAILED: 1, SUCCEEDED: 3 });
  });

  it('cancel the rest in clean-up, too', async () => {
    const tag = flows.name('tidy');
    const fanOut = { items, maxFailed: 0 };
    const tidy = { name: 'tidy', role: StepRole.FINALLY, fanOut, input: 'item' };
    const name = await flows.define([{ name: 'work' }, tidy]);
    const jobId = await flows.submit(name, { items: [{ as: tag, hold: tag }, { fail: 'no' }] });
    const job = await flows.ended(jobId);
    expect(failureOf(job)?.message).toBe('step "tidy": 1 of 2 items failed, and max_failed is 0');
    const states = (await flows.children(jobId)).map(({ state }) => stateName(state));
    expect(states.sort()).toEqual(['CANCELLED', 'FAILED', 'SUCCEEDED']);
  });

  it('succeed at once with an empty list', async () => {
    const name = await flows.define(each({}));
    const job = await flows.ended(await flows.submit(name, { items: [] }));
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', { each: [] }]);
  });

  it.each([
    ['no list', { items: { a: 1 } }, 'fan_out.items gives no list'],
    [
      'too long a list',
      { items: Array.from({ length: 100_001 }, () => 0) },
      'fan_out.items gives 100001 items; at most 100000 are possible',
    ],
  ])('fail with %s', async (_, input, message) => {
    const job = await flows.ended(await flows.submit(await flows.define(each({})), input));
    expect(failureOf(job)?.message).toBe(`step "each": ${message}`);
  });

  it('fail only an item whose input has no value, also the last one', async () => {
    const name = await flows.define(each({}, '{"give": item.n}'));
    const job = await flows.ended(await flows.submit(name, { items: [{ n: 1 }, {}, { n: 3 }] }));
    expect(failureOf(job)?.message).toMatch(/^step "each": 1 of 3 items failed/);
    expect(await ends(job.jobId)).toEqual({ SUCCEEDED: 2 });
    const slow = await flows.define(each({ maxParallel: 1 }, '{"give": item.n}'));
    const last = await flows.ended(await flows.submit(slow, { items: [{ n: 1 }, {}] }));
    expect(failureOf(last)?.message).toMatch(/^step "each": 1 of 2 items failed; item 1: /);
    expect(failureOf(last)?.type).toBe('StepFailed');
    const none = await flows.ended(await flows.submit(name, { items: [{}, {}] }));
    expect(failureOf(none)?.message).toMatch(/^step "each": 2 of 2 items failed; item 1: /);
  });

  it('stop for an item without a value as soon as max_failed says so', async () => {
    const name = await flows.define(each({ maxFailed: 0, maxParallel: 2 }, '{"give": item.n}'));
    const job = await flows.ended(await flows.submit(name, { items: [{ n: 1 }, { n: 2 }, {}, { n: 4 }] }));
    expect(failureOf(job)?.message).toMatch(/1 of 4 items failed, and max_failed is 0; item 2: /);
  });

  it.runIf(runsAll)('run 2,500 items, which several transactions start', { timeout: 120_000 }, async () => {
    const wanted = Array.from({ length: 2_500 }, (_, i) => i);
    const name = await flows.define(each({}, '{"give": item}'));
    const jobId = await flows.submit(name, { items: wanted });
    expect(resultOf(await flows.ended(jobId, 100_000))).toEqual({ each: wanted });
    const children = await flows.children(jobId);
    expect(children).toHaveLength(2_501);
  });

  it.runIf(runsAll)(
    'end once, though all of a first part fail before the next part is started',
    { timeout: 120_000 },
    async () => {
      const name = await flows.define(each({ maxFailed: 5 }, '{"fail": "no"}'));
      const jobs = await Promise.all(
        Array.from({ length: 5 }, () => flows.submit(name, { items: Array.from({ length: 2_000 }, () => 0) })),
      );
      for (const jobId of jobs) {
        const job = await flows.ended(jobId, 100_000);
        expect(failureOf(job)?.message).toMatch(/^step "each": \d+ of 2000 items failed, and max_failed is 5/);
      }
    },
  );
});
