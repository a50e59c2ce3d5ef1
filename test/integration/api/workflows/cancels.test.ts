/** Cancels of workflows with much open work. */

import { isTerminal } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { type Flows, failureOf, type Place, plays, startOn, stateName } from './flows.ts';

const WIDE = 1_000;

describe.each(databaseKinds)('cancels of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const openOf = async (jobId: string) => (await flows.children(jobId)).filter(({ state }) => !isTerminal(state));

  it.runIf(runsAll)(
    `stop a fan-out of ${WIDE}, of which some have ended and some wait`,
    { timeout: 120_000 },
    async () => {
      const tag = flows.name('wide');
      const items = Array.from({ length: WIDE }, (_, i) => ({ as: tag, hold: i % 2 === 0 ? `${tag}-free` : tag }));
      flows.reopen(`${tag}-free`);
      const name = await flows.define([{ name: 'each', fanOut: { items: 'workflow.input.items' }, input: 'item' }]);
      const jobId = await flows.submit(name, { items });
      await flows.hasStarted(tag, WIDE / 4);
      await flows.client.cancel(jobId, 'enough');
      const job = await flows.ended(jobId);
      const started = flows.startsAs(tag).length;
      expect([stateName(job.state), failureOf(job)?.message]).toEqual(['CANCELLED', 'enough']);
      const children = await flows.children(jobId);
      expect(children.length).toBeLessThanOrEqual(WIDE);
      const states = new Set(children.map(({ state }) => stateName(state)));
      expect([...states].sort()).toEqual(['CANCELLED', 'SUCCEEDED']);
      // Unassigned jobs come first: a job that had been left would start before this one.
      await flows.ended(await flows.submit('play', { as: 'behind all' }, { priority: -100 }));
      expect(flows.startsAs(tag).length).toBe(started);
    },
  );

  it.runIf(runsAll)(
    'stop a workflow of 10,000 steps that has only begun to start them',
    { timeout: 120_000 },
    async () => {
      const tag = flows.name('many');
      const steps = Array.from({ length: 10_000 }, (_, i) => ({ name: `s${i}`, input: plays(tag, { hold: tag }) }));
      const jobId = await flows.submit(await flows.define(steps));
      await flows.hasStarted(tag);
      await flows.client.cancel(jobId, 'enough');
      expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
      const children = await flows.children(jobId);
      expect(children.length).toBeLessThan(9_000);
      expect(await openOf(jobId)).toEqual([]);
    },
  );

  it('at the same time as the end of a workflow end it once, one way or the other', { timeout: 120_000 }, async () => {
    const name = await flows.define([{ name: 'a' }, { name: 'b', needs: ['a'] }]);
    const jobs = await flows.client.submitMany(Array.from({ length: 50 }, () => ({ definition: name })));
    const answers = await Promise.all(
      jobs.map((job) =>
        flows.client.cancel(job).then(
          () => 'asked',
          (error) => error.reason,
        ),
      ),
    );
    for (const [i, job] of jobs.entries()) {
      const state = stateName((await flows.ended(job.jobId)).state);
      expect(state).toBe(answers[i] === 'asked' ? 'CANCELLED' : 'SUCCEEDED');
      expect(await openOf(job.jobId)).toEqual([]);
    }
  });
});
