/** Steps that run after the work: on a failure, and in any case. */

import { durationFromMs, FailureCause } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import {
  type Flows,
  failureOf,
  type Place,
  plays,
  resultOf,
  type Step,
  StepRole,
  startOn,
  stateName,
  TriggerRule,
} from './flows.ts';

const { ON_FAILURE, FINALLY } = StepRole;

describe.each(databaseKinds)('clean-up of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const after: readonly Step[] = [
    { name: 'sorry', role: ON_FAILURE, input: '{"as": "sorry", "work": steps.work.state}' },
    { name: 'tidy', role: FINALLY, input: '{"as": "tidy", "work": steps.work.state}' },
    { name: 'report', role: FINALLY, needs: ['tidy'], input: '{"as": "report", "work": steps.work.state}' },
  ];
  const startsUnder = async (jobId: string) => flows.startsOf(await flows.children(jobId));

  it('runs its final steps after a success, and no failure steps', async () => {
    const job = await flows.run([{ name: 'work', input: plays('work', { give: 1 }) }, ...after]);
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', { work: 1 }]);
    expect(await startsUnder(job.jobId)).toEqual(['work', 'tidy', 'report']);
  });

  it('follows a failure: first the failure steps, then the final ones', async () => {
    const job = await flows.run([{ name: 'work', input: plays('work', { fail: 'broken' }) }, ...after]);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['FAILED', 'step "work": broken']);
    expect(await startsUnder(job.jobId)).toEqual(['work', 'sorry', 'tidy', 'report']);
    expect(flows.startsAs('sorry').at(-1)?.part.work).toBe('FAILED');
  });

  it('starts when the steps that run next to a failure are over', async () => {
    const [bad, other] = [flows.name('bad'), flows.name('other')];
    const jobId = await flows.submit(
      await flows.define([
        { name: 'work', input: plays(bad, { fail: 'broken', hold: bad }) },
        { name: 'other', input: plays(other, { hold: other }) },
        ...after,
      ]),
    );
    await Promise.all([flows.hasStarted(bad), flows.hasStarted(other)]);
    const before = flows.stopped.length;
    flows.reopen(bad);
    await flows.ended(jobId);
    expect(flows.stopped.slice(before).map(({ part }) => part.as)).toEqual([other]);
    expect((await startsUnder(jobId)).slice(2)).toEqual(['sorry', 'tidy', 'report']);
  });

  it('follows a cancel', async () => {
    const tag = flows.name('cancelled');
    const jobId = await flows.submit(
      await flows.define([{ name: 'work', input: plays(tag, { hold: tag }) }, ...after]),
    );
    await flows.hasStarted(tag);
    const answer = await flows.client.cancel(jobId, 'not wanted');
    expect(stateName(answer.state)).toBe('CANCELLING');
    const job = await flows.ended(jobId);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['CANCELLED', 'not wanted']);
    expect(await startsUnder(jobId)).toEqual([tag, 'sorry', 'tidy', 'report']);
    expect(flows.startsAs('tidy').at(-1)?.part.work).toBe('FAILED');
  });

  it('follows the end of the total timeout', async () => {
    const tag = flows.name('late');
    const steps = [{ name: 'work', input: plays(tag, { hold: tag }) }, ...after];
    const jobId = await flows.submit(await flows.define(steps, {}, { totalTimeout: durationFromMs(5_000) }));
    const job = await flows.ended(jobId);
    expect(stateName(job.state)).toBe('FAILED');
    expect(failureOf(job)).toMatchObject({
      type: 'TotalTimeout',
      message: 'it did not end within its total timeout',
      failureCause: FailureCause.TIMEOUT,
    });
    expect(await startsUnder(jobId)).toEqual([tag, 'sorry', 'tidy', 'report']);
  });

  it('is not interrupted by a cancel', async () => {
    const tag = flows.name('tidying');
    const jobId = await flows.submit(
      await flows.define([
        { name: 'work' },
        { name: 'tidy', role: FINALLY, input: plays(tag, { hold: tag }) },
        { name: 'last', role: FINALLY, needs: ['tidy'], input: plays('last', {}) },
      ]),
    );
    await flows.hasStarted(tag);
    const before = flows.stopped.length;
    await flows.client.cancel(jobId, 'too late');
    flows.reopen(tag);
    expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
    expect(flows.stopped).toHaveLength(before);
    expect(await startsUnder(jobId)).toEqual(['work', tag, 'last']);
  });

  it('fails the workflow if it fails, unless the work failed before', async () => {
    const bad = (role: StepRole, as: string): Step => ({ name: as, role, input: plays(as, { fail: `${as} broken` }) });
    const clean = await flows.run([{ name: 'work' }, bad(FINALLY, 'tidy')]);
    expect([stateName(clean.state), failureOf(clean)?.message]).toEqual(['FAILED', 'step "tidy": tidy broken']);
    const both = await flows.run([
      { name: 'work', input: plays('work', { fail: 'broken' }) },
      bad(ON_FAILURE, 'sorry'),
      bad(FINALLY, 'tidy'),
    ]);
    expect([stateName(both.state), failureOf(both)?.message]).toEqual(['FAILED', 'step "work": broken']);
    expect(await startsUnder(both.jobId)).toEqual(['work', 'sorry', 'tidy']);
  });

  it('shows its failure also if a failure of the work was tolerated', async () => {
    const job = await flows.run([
      { name: 'work', input: plays('work', { fail: 'tolerated' }) },
      { name: 'next', needs: ['work'], triggerRule: TriggerRule.ALL_DONE },
      { name: 'tidy', role: FINALLY, input: plays('tidy', { fail: 'broken' }) },
    ]);
    expect([stateName(job.state), failureOf(job)?.message]).toEqual(['FAILED', 'step "tidy": broken']);
  });

  it('is all that runs in a workflow that is cancelled while it is about to start', async () => {
    const job = await flows.submit(await flows.define([{ name: 'work' }, ...after]), {}, { delayMs: 3_600_000 });
    expect(stateName((await flows.client.cancel(job)).state)).toBe('CANCELLED');
    expect(await flows.children(job)).toEqual([]);
  });
});
