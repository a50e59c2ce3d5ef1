/**
 * Schedules of definitions with submission rules: the job of another submission is not the schedule's. And the search
 * for times among many exclusions.
 */

import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import { OverlapPolicy, ScheduleRunState, ScheduleSkipReason } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { DuplicatePolicy } from '@muster-jobs/sdk/gen/muster/v1/submission_rule_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { World } from '../base/world.ts';

const { applySchedule, triggerSchedule } = ScheduleService.method;
const times = { crons: ['0 0 1 1 *'] };
const hour = { seconds: 3_600n };
const { SKIPPED, STARTED } = ScheduleRunState;

describe.each(databaseKinds)('schedules of definitions with submission rules on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  async function schedule(definition: string, overlapPolicy: OverlapPolicy): Promise<string> {
    const name = `schedule-of-${definition}`;
    await world.rpc.call(applySchedule, { schedule: { name, times, overlapPolicy, job: { definition } } });
    return name;
  }

  async function trigger(name: string) {
    const { run } = await world.rpc.call(triggerSchedule, { name });
    if (!run) throw new Error('an answer without a run');
    return run;
  }

  const jobsOf = async (definition: string) =>
    (await world.rpc.call(JobService.method.listJobs, { filter: { definition } })).jobs;

  it.each([
    ['USE_EXISTING', { uniqueness: { duplicatePolicy: DuplicatePolicy.USE_EXISTING } }],
    ['REJECT', { uniqueness: { duplicatePolicy: DuplicatePolicy.REJECT } }],
    ['USE_EXISTING', { throttle: { period: hour, duplicatePolicy: DuplicatePolicy.USE_EXISTING } }],
    ['REJECT', { throttle: { period: hour, duplicatePolicy: DuplicatePolicy.REJECT } }],
  ])('record a refusal, neither wait for the job nor cancel it, and continue: %s by %o', async (_, rule) => {
    const definition = await world.define(rule);
    const jobId = await world.submit(definition);
    const name = await schedule(definition, OverlapPolicy.CANCEL_OTHER);
    for (let n = 0; n < 2; n++) {
      const run = await trigger(name);
      expect(run).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.REFUSED, jobId: '' });
      expect(run.message).toContain(jobId);
    }
    expect(await world.stateOf(jobId)).toBe('READY');
    expect(await jobsOf(definition)).toHaveLength(1);
    await world.define({
      ...rule,
      name: definition,
      uniqueness: { byQueue: true, states: [1, 2, 3, 5, 6] },
      throttle: undefined,
    });
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    expect(await trigger(name)).toMatchObject({ state: STARTED, message: '' });
  });

  it('continue with a debounced job, each replacing the one before', async () => {
    const definition = await world.define({ debounce: { wait: hour } });
    const name = await schedule(definition, OverlapPolicy.ALLOW_ALL);
    const [one, two] = [await trigger(name), await trigger(name)];
    expect([one.state, two.state]).toEqual([STARTED, STARTED]);
    expect(await world.stateOf(one.jobId)).toBe('CANCELLED');
    expect(await world.stateOf(two.jobId)).toBe('SCHEDULED');
  });

  it('record a job beyond its key limit, and do not retry it forever', async () => {
    const definition = await world.define({ keyLimit: { maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW } });
    const name = await schedule(definition, OverlapPolicy.ALLOW_ALL);
    const [first, refused] = [await trigger(name), await trigger(name)];
    expect(first).toMatchObject({ state: STARTED, message: '' });
    expect(refused).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.REFUSED, jobId: '' });
    expect(refused.message).toMatch(new RegExp(`its key may have 1 open, and has 1, such as ${first.jobId}; `));
    await world.rpc.call(JobService.method.cancelJob, { jobId: first.jobId });
    expect(await trigger(name)).toMatchObject({ state: STARTED });
  });

  it('are refused if their job could never be accepted', async () => {
    const definition = await world.define({ uniqueness: { fields: ['order'] } });
    const refusal = await world.rpc.refused(applySchedule, { schedule: { name: 'never', times, job: { definition } } });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
    expect(refusal.fields).toEqual(['schedule.job.input']);
  });
});

describe.each(databaseKinds)('the times of schedules on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  it('are searched in bounded time, however many are excluded', async () => {
    const times = { crons: ['* * * * *'], exclusions: [{ minute: '1-59' }] };
    const dayOf = (text: string) => timestampFromDate(new Date(text));
    const asked = { times, count: 1_000, afterTime: dayOf('2026-03-01') };
    const first = await world.rpc.call(ScheduleService.method.previewSchedule, asked);
    expect(first.times).toHaveLength(83);
    const { times: later } = await world.rpc.call(ScheduleService.method.previewSchedule, {
      ...asked,
      afterTime: first.scannedUntilTime,
    });
    expect(later[0] && timestampDate(later[0]).toISOString()).toBe('2026-03-04T12:00:00.000Z');
    const definition = await world.define();
    const apply = async (name: string, rules: object) =>
      (await world.rpc.call(applySchedule, { schedule: { name, times: rules, job: { definition } } })).schedule;
    await apply('seldom', times);
    const name = 'seldom';
    const week = { startTime: dayOf('2026-03-01'), endTime: dayOf('2026-03-08') };
    const refusal = await world.rpc.refused(ScheduleService.method.backfillSchedule, { name, ...week });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['end_time'] });
    expect(refusal.message).toMatch(/5000 in all; ask for a shorter span/);
    expect((await world.rpc.call(ScheduleService.method.listScheduleRuns, { name })).runs).toEqual([]);
    // One scan finds no time; there may still be one later.
    const halves = ['0-29', '30-59'].map((minute) => ({ minute, year: '2020-2050' }));
    const far = await apply('far', { crons: ['* * * * *'], exclusions: halves });
    expect(far?.nextTime).toBeUndefined();
    const none = await world.rpc.call(ScheduleService.method.previewSchedule, { name: 'far' });
    expect(none).toMatchObject({ times: [], scannedUntilTime: expect.anything() });
    const one = { ...week, endTime: dayOf('2026-03-02') };
    expect(await world.rpc.call(ScheduleService.method.backfillSchedule, { name, ...one })).toMatchObject({
      timeCount: 24,
    });
  });
});
