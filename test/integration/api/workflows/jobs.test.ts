/**
 * The job of a workflow behaves as any other: its start, the fields its steps inherit, watches, lists, explanations,
 * retries.
 */

import { isTerminal, JobState, LimitPolicy } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, plays, resultOf, StepRole, startOn, stateName } from './flows.ts';

describe.each(databaseKinds)('jobs of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  it('start after their delay', async () => {
    const name = await flows.define([{ name: 'a' }]);
    const jobId = await flows.submit(name, {}, { delayMs: 700 });
    const job = await flows.client.get(jobId);
    expect(stateName(job.state)).toBe('SCHEDULED');
    const ended = await flows.ended(jobId);
    expect(stateName(ended.state)).toBe('SUCCEEDED');
    const [child] = await flows.children(jobId);
    const msOf = (time: { seconds: bigint; nanos: number } | undefined) =>
      Number(time?.seconds) * 1_000 + Number(time?.nanos) / 1e6;
    expect(msOf(child?.createTime)).toBeGreaterThanOrEqual(Math.floor(msOf(job.runTime)));
  });

  it('wait in a paused queue, and start once it is resumed', async () => {
    const queue = flows.name('queue');
    await flows.client.createQueue(queue, {});
    await flows.client.pauseQueue(queue, 'not now');
    const jobId = await flows.submit(await flows.define([{ name: 'a' }]), {}, { queue });
    const { summary } = await flows.client.explain(jobId);
    expect(summary).toContain('has been READY');
    expect(summary).toContain('not now');
    expect(summary).not.toMatch(/worker/);
    await flows.client.resumeQueue(queue);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });

  it('pass their labels and their priority to their steps, which can have their own', async () => {
    const labels = { team: 'blue', order: '17' };
    const name = await flows.define([
      { name: 'a', input: '{"as": "a", "give": workflow.labels.order}' },
      { name: 'b', overrides: { priority: -7, queue: 'elsewhere' } },
    ]);
    const jobId = await flows.submit(name, {}, { labels, priority: 42 });
    expect(resultOf(await flows.ended(jobId))).toMatchObject({ a: '17' });
    const children = await flows.children(jobId);
    expect(children.map((child) => [child.priority, child.queue]).sort()).toEqual([
      [-7, 'elsewhere'],
      [42, 'default'],
    ]);
    for (const child of children) expect(child.labels).toEqual(labels);
  });

  it('are one job for one idempotency key', async () => {
    const name = await flows.define([{ name: 'a' }]);
    const options = { idempotencyKey: flows.name('key') };
    const [first, second] = [await flows.submit(name, {}, options), await flows.submit(name, {}, options)];
    expect(second).toBe(first);
    await flows.ended(first);
    expect(await flows.submit(name, {}, options)).toBe(first);
    expect(await flows.children(first)).toHaveLength(1);
  });

  it('have steps that no submission rule delays, merges or refuses', async () => {
    const hour = { seconds: 3_600n };
    const debounced = await flows.task({ debounce: { wait: hour, fields: [] } });
    const unique = await flows.task({ uniqueness: { byInput: true } });
    const single = await flows.task({ keyLimit: { key: '', maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW } });
    const fanOut = { items: '[1, 1, 1]' };
    const name = await flows.define([
      { name: 'a', definition: debounced, fanOut, input: '{"give": item}' },
      { name: 'b', definition: unique, fanOut, input: '{"give": item}' },
      { name: 'c', definition: single, fanOut, input: '{"give": item}' },
    ]);
    const job = await flows.ended(await flows.submit(name), 10_000);
    expect(resultOf(job)).toEqual({ a: [1, 1, 1], b: [1, 1, 1], c: [1, 1, 1] });
    expect(await flows.children(job.jobId)).toHaveLength(9);
  });

  it('are retried from the steps that had not succeeded', async () => {
    const tag = flows.name('retried');
    const name = await flows.define([
      { name: 'a', input: plays(tag, {}) },
      { name: 'b', needs: ['a'], input: '{"fail": workflow.input.why}' },
    ]);
    const first = await flows.ended(await flows.submit(name, { why: 'broken' }));
    expect(stateName(first.state)).toBe('FAILED');
    const second = await flows.ended((await flows.client.retry(first)).jobId);
    expect([stateName(second.state), failureOf(second)?.message]).toEqual(['FAILED', 'step "b": broken']);
    expect(second.retryOf).toBe(first.jobId);
    expect(await flows.children(second.jobId)).toHaveLength(1);
    expect(flows.startsAs(tag)).toHaveLength(1);
  });

  it('are WAITING while they run: read, listed, watched', async () => {
    const tag = flows.name('watched');
    const name = await flows.define([{ name: 'a', input: plays(tag, { hold: tag }) }]);
    const jobId = await flows.submit(name);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const job of flows.client.watch(jobId)) seen.push(stateName(job.state));
    })();
    await flows.hasStarted(tag);
    const job = await flows.client.get(jobId);
    expect([stateName(job.state), job.attempt, job.attempts]).toEqual(['WAITING', 0, []]);
    const listed: string[] = [];
    for await (const one of flows.client.list({ states: [JobState.WAITING], definition: name })) listed.push(one.jobId);
    expect(listed).toEqual([jobId]);
    await eventually('the watch has shown it', () => seen.includes('WAITING'));
    flows.reopen(tag);
    await watching;
    expect(seen.at(-1)).toBe('SUCCEEDED');
    expect(isTerminal((await flows.client.get(jobId)).state)).toBe(true);
  });

  it('publish the events of their lives in order', async () => {
    const name = await flows.define([{ name: 'a', input: '{"fail": workflow.input.fail ? "no" : ""}' }]);
    const reported = async (input: object) => {
      const jobId = await flows.submit(name, input);
      await flows.ended(jobId);
      return eventually('its end is published', async () => {
        const events = [];
        for await (const page of flows.client.watchEvents({ keptOnly: true })) events.push(...page.events);
        const own = events.filter((event) => event.jobId === jobId);
        return own.some(({ state }) => isTerminal(state)) && own;
      });
    };
    const good = await reported({ fail: false });
    expect(good.map(({ previousState, state }) => [previousState, state].map(stateName).join(' > '))).toEqual([
      'UNSPECIFIED > READY',
      'READY > WAITING',
      'WAITING > SUCCEEDED',
    ]);
    expect(good.map(({ revision }) => revision)).toEqual([1n, 2n, 3n]);
    const bad = await reported({ fail: true });
    expect([stateName(bad.at(-1)?.state ?? 0), bad.at(-1)?.failure?.message]).toEqual(['FAILED', 'step "a": no']);
  });

  it('are explained while they run: their waits, and the next steps', async () => {
    const tag = flows.name('explained');
    const name = await flows.define([
      { name: 'a', input: plays(tag, { hold: tag }) },
      { name: 'each', fanOut: { items: '[1, 2, 3]', maxParallel: 2 }, input: plays(tag, { hold: tag }) },
      { name: 'join', needs: ['a', 'each'] },
      { name: 'tidy', role: StepRole.FINALLY, input: plays(`${tag}-tidy`, { hold: `${tag}-tidy` }) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(tag, 3);
    const child = (await flows.children(jobId)).at(-1)?.jobId;
    expect((await flows.client.explain(jobId)).summary).toBe(
      `Job ${jobId} of definition ${name} version 1 is a workflow that does its work: 0 of 3 steps have ended, and 2 run. ` +
        `It waits for a (job ${child}), each (0 of 3 items have ended, 1 have not begun). Next may be join.`,
    );
    flows.reopen(tag);
    await flows.hasStarted(`${tag}-tidy`);
    await flows.client.cancel(jobId, 'enough');
    expect((await flows.client.explain(jobId)).summary).toMatch(
      /is a workflow that runs its final steps: 0 of 1 step has ended, and 1 runs\. It is being stopped: enough\. It waits for tidy \(job /,
    );
    flows.reopen(`${tag}-tidy`);
    const job = await flows.ended(jobId);
    expect((await flows.client.explain(jobId)).summary).toContain(`ended ${stateName(job.state)}`);
    expect((await flows.client.explain(jobId)).summary).not.toContain('attempt');
  });

  it('have an estimated end, but for while a person is awaited', async () => {
    const tag = flows.name('tag');
    const wait = { case: 'wait', value: { kind: { case: 'approval', value: {} } } } as const;
    const approval = flows.name('approval');
    await flows.client.applyDefinition({ name: approval, body: wait });
    const name = await flows.define([
      { name: 'first' },
      { name: 'held', needs: ['first'], input: plays(tag, { hold: tag }) },
      { name: 'ask', needs: ['first'], definition: approval, input: '{}' },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(tag);
    const asked = async () => (await flows.children(jobId)).find(({ definition }) => definition === approval);
    await eventually('the approval is awaited', async () => stateName((await asked())?.state ?? 0) === 'WAITING');
    expect((await flows.client.getWorkflow(jobId)).estimatedEndTime).toBeUndefined();
    await flows.client.approve((await asked())?.jobId ?? '');
    await eventually('the end is estimated', async () => (await flows.client.getWorkflow(jobId)).estimatedEndTime);
    await flows.client.pause(jobId, 'wait', { running: true });
    expect((await flows.client.getWorkflow(jobId)).estimatedEndTime).toBeUndefined();
    await flows.client.resume(jobId);
    flows.reopen(tag);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });
});
