/** Pauses of workflows that have begun: what stops, what is kept, and how they continue. */

import type { PauseOptions } from '@muster-jobs/sdk';
import { StepRole } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Place, plays, resultOf, startOn, stateName } from './flows.ts';

describe.each(databaseKinds)('a paused workflow on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const stateOf = async (jobId: string) => stateName((await flows.client.get(jobId)).state);

  /** States of its steps' jobs, by what their names say in this test. */
  const states = async (jobId: string) => (await flows.children(jobId)).map(({ state }) => stateName(state)).sort();

  const isStill = (jobId: string, ...expected: string[]) =>
    eventually(`its jobs are ${expected}`, async () => `${await states(jobId)}` === `${expected}`);

  async function pause(jobId: string, options: Omit<PauseOptions, 'running'> = {}): Promise<void> {
    await flows.client.pause(jobId, 'the disk is full', { running: true, ...options });
    expect(await stateOf(jobId)).toBe('PAUSED');
  }

  it('stops its running steps without counting their attempts, starts no other, and continues where it was', async () => {
    const tag = flows.name('chain');
    const name = await flows.define([
      { name: 'first', input: plays(`${tag}-first`, {}) },
      { name: 'second', needs: ['first'], input: plays(`${tag}-second`, { hold: tag }) },
      { name: 'third', needs: ['second'], input: plays(`${tag}-third`, {}) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(`${tag}-second`);
    await pause(jobId);
    await isStill(jobId, 'PAUSED', 'SUCCEEDED');
    expect(flows.stopped.map(({ part }) => part.as)).toContain(`${tag}-second`);
    const [second] = await flows.children(jobId);
    expect(second).toMatchObject({
      attemptCount: 0,
      stateReason: `job ${jobId}, to which it belongs, is paused: the disk is full`,
    });
    flows.reopen(tag);
    await flows.client.resume(jobId);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    const starts = ['first', 'second', 'third'].map((step) => flows.startsAs(`${tag}-${step}`).length);
    expect(starts).toEqual([1, 2, 1]);
  });

  it('counts what its steps still do, and starts what follows only when it is resumed', async () => {
    const tag = flows.name('late');
    const name = await flows.define([
      { name: 'first', input: plays(`${tag}-first`, { hold: tag, deaf: true }) },
      { name: 'second', needs: ['first'], input: plays(`${tag}-second`, {}) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(`${tag}-first`);
    await pause(jobId);
    flows.reopen(tag);
    await isStill(jobId, 'SUCCEEDED');
    // A job that is submitted now runs: the workflow would have started its next step by then.
    await flows.ended(await flows.submit('play', { as: `${tag}-other` }));
    expect(flows.startsAs(`${tag}-second`)).toEqual([]);
    expect(await stateOf(jobId)).toBe('PAUSED');
    await flows.client.resume(jobId);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    expect(flows.startsAs(`${tag}-first`)).toHaveLength(1);
  });

  it('keeps the items of a fan-out that have ended', async () => {
    const tag = flows.name('wide');
    const items = Array.from({ length: 20 }, (_, i) => ({
      as: `${tag}-${i}`,
      give: i,
      ...(i % 2 ? { hold: tag } : {}),
    }));
    const name = await flows.define([{ name: 'each', fanOut: { items: 'workflow.input.items' }, input: 'item' }]);
    const jobId = await flows.submit(name, { items });
    for (let i = 0; i < items.length; i++) await flows.hasStarted(`${tag}-${i}`);
    await pause(jobId);
    await isStill(jobId, ...Array(10).fill('PAUSED'), ...Array(10).fill('SUCCEEDED'));
    flows.reopen(tag);
    await flows.client.resume(jobId);
    expect(resultOf(await flows.ended(jobId))).toEqual({ each: items.map((_, i) => i) });
    expect(items.map((_, i) => flows.startsAs(`${tag}-${i}`).length)).toEqual(items.map((_, i) => 1 + (i % 2)));
  });

  it('is paused with the workflows among its steps, whose steps are paused too', async () => {
    const tag = flows.name('deep');
    const inner = await flows.define([{ name: 'step', input: plays(tag, { hold: tag }) }]);
    const jobId = await flows.submit(await flows.define([{ name: 'inner', definition: inner }]));
    await flows.hasStarted(tag);
    await pause(jobId);
    const [child] = await flows.children(jobId);
    const innerId = child?.jobId as string;
    await isStill(jobId, 'PAUSED');
    await isStill(innerId, 'PAUSED');
    flows.reopen(tag);
    await flows.client.resume(jobId);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });

  it('leaves a step paused that somebody paused for itself', async () => {
    const tag = flows.name('own');
    const name = await flows.define([
      { name: 'one', input: plays(`${tag}-one`, { hold: tag }) },
      { name: 'two', input: plays(`${tag}-two`, { hold: tag }) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(`${tag}-two`);
    await flows.hasStarted(`${tag}-one`);
    const own = flows.startsAs(`${tag}-one`)[0]?.jobId as string;
    await flows.client.pause(own, 'mine', { running: true });
    await pause(jobId);
    await isStill(jobId, 'PAUSED', 'PAUSED');
    flows.reopen(tag);
    await flows.client.resume(jobId);
    await isStill(jobId, 'PAUSED', 'SUCCEEDED');
    await flows.client.resume(own);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });

  it('closes the attempts of its steps at the end of the grace period', async () => {
    const tag = flows.name('grace');
    const jobId = await flows.submit(
      await flows.define([{ name: 'step', input: plays(tag, { hold: tag, deaf: true }) }]),
    );
    await flows.hasStarted(tag);
    await pause(jobId, { graceMs: 1 });
    await isStill(jobId, 'PAUSED');
    flows.reopen(tag);
    await flows.client.resume(jobId);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
  });

  it('can be cancelled: its jobs are cancelled, and its last steps run', async () => {
    const tag = flows.name('cancel');
    const name = await flows.define([
      { name: 'work', input: plays(`${tag}-work`, { hold: tag }) },
      { name: 'last', role: StepRole.FINALLY, input: plays(`${tag}-last`, {}) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(`${tag}-work`);
    await pause(jobId);
    await isStill(jobId, 'PAUSED');
    await flows.client.cancel(jobId, 'enough');
    expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
    expect([flows.startsAs(`${tag}-work`).length, flows.startsAs(`${tag}-last`).length]).toEqual([1, 1]);
  });

  it('finishes its last steps if it is cancelled among them', async () => {
    const tag = flows.name('last');
    const name = await flows.define([
      { name: 'work', input: plays(`${tag}-work`, {}) },
      { name: 'last', role: StepRole.FINALLY, input: plays(`${tag}-last`, { hold: tag }) },
    ]);
    const jobId = await flows.submit(name);
    await flows.hasStarted(`${tag}-last`);
    await pause(jobId);
    await isStill(jobId, 'PAUSED', 'SUCCEEDED');
    flows.reopen(tag);
    await flows.client.cancel(jobId, 'enough');
    expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
    expect(flows.startsAs(`${tag}-last`)).toHaveLength(2);
  });

  it('ends at its total timeout, which runs on unless it is stopped', async () => {
    const tag = flows.name('timeout');
    const rest = { totalTimeout: { seconds: 1n, nanos: 0 } };
    const name = await flows.define([{ name: 'step', input: plays(tag, { hold: tag }) }], {}, rest);
    const [on, stopped] = [await flows.submit(name), await flows.submit(name)];
    await flows.hasStarted(tag, 2);
    await pause(on);
    await pause(stopped, { stopTimeouts: true });
    const job = await flows.ended(on);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual([
      'FAILED',
      'it did not end within its total timeout',
    ]);
    expect(await states(on)).toEqual(['CANCELLED']);
    expect(await stateOf(stopped)).toBe('PAUSED');
    flows.reopen(tag);
    await flows.client.resume(stopped);
    expect(stateName((await flows.ended(stopped)).state)).toBe('SUCCEEDED');
  });

  it('is not paused without a word on what runs', async () => {
    const tag = flows.name('plain');
    const jobId = await flows.submit(await flows.define([{ name: 'step', input: plays(tag, { hold: tag }) }]));
    await flows.hasStarted(tag);
    await expect(flows.client.pause(jobId)).rejects.toMatchObject({ reason: 'JOB_NOT_WAITING' });
    flows.reopen(tag);
    await flows.ended(jobId);
  });
});
