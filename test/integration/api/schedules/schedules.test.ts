/**
 * ScheduleService over the wire: schedules created, read, changed, paused, triggered and backfilled, with their jobs.
 */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import type { Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import {
  CatchUpPolicy,
  OverlapPolicy,
  type Schedule,
  type ScheduleRun,
  ScheduleRunCause,
  ScheduleRunState,
  type ScheduleSchema,
  ScheduleSkipReason,
} from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { applySchedule, getSchedule, listSchedules, deleteSchedule, pauseSchedule, resumeSchedule } =
  ScheduleService.method;
const { triggerSchedule, backfillSchedule, previewSchedule, listScheduleRuns } = ScheduleService.method;
const { cancelJob, listJobs } = JobService.method;
const { STARTED, SKIPPED, BUFFERED } = ScheduleRunState;

type Init = Exclude<MessageInitShape<typeof ScheduleSchema>, Schedule>;
type Changes = Omit<Init, 'job'> & { readonly job?: Exclude<Init['job'], undefined> };

const yearly = { crons: ['0 0 1 1 *'] };
const eachSecond = { intervals: [{ every: { seconds: 1n } }] };
const at = (time: Timestamp | undefined) => (time ? timestampDate(time).toISOString() : '');

function only<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}

describe.each(databaseKinds)('schedules on %s', (kind) => {
  let world: World;
  let schedules = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const get = async (name: string) => (await world.rpc.call(getSchedule, { name })).schedule as Schedule;

  async function apply(changes: Changes = {}, requestId = ''): Promise<Schedule> {
    const definition = changes.job?.definition ?? (await world.define());
    const schedule = {
      name: `schedule-${++schedules}`,
      times: yearly,
      ...changes,
      job: { ...changes.job, definition },
    };
    return (await world.rpc.call(applySchedule, { schedule, requestId })).schedule as Schedule;
  }

  const runsOf = async (name: string) => (await world.rpc.call(listScheduleRuns, { name })).runs;

  /** The runs, newest time first, once there are that many. */
  async function runs(name: string, count: number): Promise<ScheduleRun[]> {
    let found: ScheduleRun[] = [];
    await eventually(`${count} runs of ${name} are decided`, async () => {
      found = await runsOf(name);
      return found.length >= count;
    });
    return found;
  }

  async function jobsOf(name: string): Promise<Job[]> {
    return (await world.rpc.call(listJobs, { filter: { labels: { 'muster/schedule': name } } })).jobs;
  }

  const trigger = async (name: string, overlapPolicy: OverlapPolicy = OverlapPolicy.UNSPECIFIED) =>
    (await world.rpc.call(triggerSchedule, { name, overlapPolicy })).run as ScheduleRun;

  it('are created with their defaults and read, and applying them unchanged keeps them', async () => {
    const definition = await world.define();
    const schedule = { name: 'defaults', times: yearly, job: { definition, labels: { b: '2', a: '1' } } };
    const first = await world.rpc.call(applySchedule, { schedule });
    expect(first.created).toBe(true);
    expect(first.nextTimes).toHaveLength(5);
    expect(at(first.nextTimes[0])).toMatch(/-01-01T00:00:00.000Z$/);
    expect(first.schedule).toMatchObject({
      namespace: 'default',
      overlapPolicy: OverlapPolicy.SKIP,
      catchUpPolicy: CatchUpPolicy.LATEST,
      catchUpWindow: { seconds: 86_400n },
      times: { timeZone: 'UTC' },
      paused: false,
      jobCount: 0n,
    });
    await eventually('its next time is known', async () => (await get('defaults')).nextTime !== undefined);
    expect(at((await get('defaults')).nextTime)).toBe(at(first.nextTimes[0]));
    const again = await world.rpc.call(applySchedule, {
      schedule: { ...schedule, job: { definition, labels: { a: '1', b: '2' } } },
    });
    expect(again).toMatchObject({ created: false, schedule: { etag: first.schedule?.etag } });
    const changed = await world.rpc.call(applySchedule, { schedule: { ...schedule, maxRuns: 3n } });
    expect(changed).toMatchObject({ created: false, schedule: { maxRuns: 3n } });
    expect(changed.schedule?.etag).not.toBe(first.schedule?.etag);
  });

  it('are changed only with their current etag if one is given', async () => {
    const made = await apply();
    const { name, job = {}, etag } = made;
    const schedule = { name, job, times: yearly, etag, description: 'newer' };
    await world.rpc.call(applySchedule, { schedule });
    expect(await world.rpc.refused(applySchedule, { schedule: { ...schedule, description: 'stale' } })).toMatchObject({
      code: Code.ABORTED,
      reason: 'ETAG_STALE',
    });
    expect(await world.rpc.refused(applySchedule, { schedule: { ...schedule, name: 'nowhere' } })).toMatchObject({
      code: Code.NOT_FOUND,
      reason: 'SCHEDULE_NOT_FOUND',
    });
    expect((await get(name)).description).toBe('newer');
  });

  it('are only checked by a validation', async () => {
    const definition = await world.define();
    const schedule = { name: 'only-checked', times: { crons: ['0 12 * * *'] }, job: { definition } };
    const checked = await world.rpc.call(applySchedule, { schedule, validateOnly: true });
    expect(checked).toMatchObject({ created: false, schedule: { name: 'only-checked', etag: '' } });
    expect(checked.nextTimes).toHaveLength(5);
    expect(await world.rpc.refused(getSchedule, { name: 'only-checked' })).toMatchObject({
      reason: 'SCHEDULE_NOT_FOUND',
    });
    const unknown = { ...schedule, job: { definition: 'unknown' } };
    expect(await world.rpc.refused(applySchedule, { schedule: unknown, validateOnly: true })).toMatchObject({
      code: Code.NOT_FOUND,
      reason: 'DEFINITION_NOT_FOUND',
    });
  });

  it('are created once by a repeated request', async () => {
    const requestId = randomUUID();
    const definition = await world.define();
    const schedule = { name: 'repeated', times: yearly, job: { definition } };
    expect(await world.rpc.call(applySchedule, { schedule, requestId })).toMatchObject({ created: true });
    await world.rpc.call(applySchedule, { schedule: { ...schedule, description: 'changed since' } });
    expect(await world.rpc.call(applySchedule, { schedule, requestId })).toMatchObject({
      created: false,
      schedule: { description: 'changed since' },
    });
    const other = { schedule: { ...schedule, description: 'another' }, requestId };
    expect(await world.rpc.refused(applySchedule, other)).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    // The job would be refused by then, and so is a request that is not a repeat.
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: definition });
    expect(await world.rpc.call(applySchedule, { schedule, requestId })).toMatchObject({ created: false });
    expect(await world.rpc.refused(applySchedule, other)).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    const late = { schedule, requestId: randomUUID() };
    expect(await world.rpc.refused(applySchedule, late)).toMatchObject({ reason: 'DEFINITION_ARCHIVED' });
    expect(await world.rpc.refused(applySchedule, { schedule })).toMatchObject({ reason: 'DEFINITION_ARCHIVED' });
    const { definition: back } = await world.rpc.call(JobDefinitionService.method.applyJobDefinition, {
      definition: { name: definition, body: { case: 'task', value: {} } },
    });
    expect(back?.name).toBe(definition);
    // A refused call leaves its request id free.
    expect(await world.rpc.call(applySchedule, late)).toMatchObject({ created: false });
  });

  it('are listed by name, with page tokens that belong to the list', async () => {
    const namespace = `ns-${++schedules}`;
    const job = { definition: 'work' };
    const body = { case: 'task', value: {} } as const;
    await world.rpc.call(JobDefinitionService.method.applyJobDefinition, {
      definition: { namespace, name: 'work', body },
    });
    for (const name of ['c', 'a', 'b'])
      await world.rpc.call(applySchedule, { schedule: { namespace, name, times: yearly, job } });
    const first = await world.rpc.call(listSchedules, { namespace, pageSize: 2 });
    expect(first.schedules.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await world.rpc.call(listSchedules, { namespace, pageSize: 2, pageToken: first.nextPageToken });
    expect(second.schedules.map(({ name }) => name)).toEqual(['c']);
    expect(second.nextPageToken).toBe('');
  });

  it('submit a job at each time, with labels for the schedule and the time', async () => {
    const definition = await world.define();
    const { name } = await apply({
      times: eachSecond,
      overlapPolicy: OverlapPolicy.ALLOW_ALL,
      job: { definition, labels: { team: 'a' }, priority: 7, input: { data: new TextEncoder().encode('{}') } },
    });
    const countOf = async (state: ScheduleRunState) => (await runsOf(name)).filter((run) => run.state === state).length;
    await eventually('three have started', async () => (await countOf(STARTED)) >= 3);
    await world.rpc.call(pauseSchedule, { name });
    // A run that was decided before the pause is still starting.
    await eventually('all have started', async () => (await countOf(STARTED)) === (await runsOf(name)).length);
    const started = (await runsOf(name)).filter(({ state }) => state === STARTED).reverse();
    const jobs = new Map((await jobsOf(name)).map((job) => [job.jobId, job]));
    expect(started.length).toBeGreaterThan(2);
    expect(jobs.size).toBe(started.length);
    for (const [i, run] of started.entries()) {
      expect(jobs.get(run.jobId)).toMatchObject({
        definition,
        priority: 7,
        labels: { team: 'a', 'muster/schedule': name, 'muster/schedule-time': at(run.nominalTime) },
      });
      expect(run).toMatchObject({ cause: ScheduleRunCause.TIME, nominalTime: { nanos: 0 }, timeCount: 1 });
      const before = started[i - 1];
      if (before) expect(run.nominalTime?.seconds).toBe((before.nominalTime?.seconds ?? 0n) + 1n);
    }
    expect((await get(name)).jobCount).toBe(BigInt(jobs.size));
  });

  it('skip a time while the job of the one before is open, and record that', async () => {
    const { name } = await apply({ times: eachSecond });
    const [newest, ...older] = await runs(name, 3);
    expect(newest).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.OVERLAP, jobId: '' });
    expect(older.at(-1)).toMatchObject({ state: STARTED });
    expect(await jobsOf(name)).toHaveLength(1);
    await world.rpc.call(deleteSchedule, { name });
  });

  it('buffer one time until the job before has ended', async () => {
    const { name } = await apply({ times: eachSecond, overlapPolicy: OverlapPolicy.BUFFER_ONE });
    const found = (await runs(name, 3)).reverse();
    expect(found.slice(0, 3).map(({ state }) => state)).toEqual([STARTED, BUFFERED, SKIPPED]);
    expect(found[2]?.skipReason).toBe(ScheduleSkipReason.BUFFER_FULL);
    await world.rpc.call(cancelJob, { jobId: found[0]?.jobId ?? '' });
    await eventually('the time that waited has its job', async () => {
      const second = (await runsOf(name)).find((run) => at(run.nominalTime) === at(found[1]?.nominalTime));
      return second?.state === STARTED;
    });
    await world.rpc.call(deleteSchedule, { name });
  });

  it('cancel the running job if the policy says so', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const { name } = await apply({ overlapPolicy: OverlapPolicy.CANCEL_OTHER, job: { definition } });
    const first = await trigger(name);
    const attempt = only(await worker.take(1));
    const second = await trigger(name);
    expect([first.state, second.state]).toEqual([STARTED, BUFFERED]);
    await eventually('the first job is asked to stop', () => worker.cancelled.includes(first.jobId));
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    await eventually('the second has its job', async () => (await jobsOf(name)).length === 2);
    expect((await world.getJob(first.jobId)).stateReason).toContain(`makes way for the next run of schedule ${name}`);
  });

  it('start a job next to the one being cancelled if the policy says so', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const { name } = await apply({ overlapPolicy: OverlapPolicy.TERMINATE_OTHER, job: { definition } });
    const first = await trigger(name);
    await worker.take(1);
    const second = await trigger(name);
    expect([first.state, second.state]).toEqual([STARTED, STARTED]);
    expect(await world.stateOf(first.jobId)).toBe('CANCELLING');
    expect(await world.stateOf(second.jobId)).toBe('READY');
  });

  it('run once for each trigger request', async () => {
    const { name } = await apply({ overlapPolicy: OverlapPolicy.ALLOW_ALL });
    const requestId = randomUUID();
    const request = { name, requestId };
    const { run } = await world.rpc.call(triggerSchedule, request);
    expect(run).toMatchObject({ state: STARTED, cause: ScheduleRunCause.TRIGGER });
    expect((await world.rpc.call(triggerSchedule, request)).run).toEqual(run);
    expect((await jobsOf(name)).map(({ jobId }) => jobId)).toEqual([run?.jobId]);
    const skipping = await trigger(name, OverlapPolicy.SKIP);
    expect(skipping).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.OVERLAP });
  });

  it('run for the times of any requested period', async () => {
    const { name } = await apply({ times: { crons: ['0 6 * * *'], timeZone: 'Europe/Vienna' } });
    const span = {
      startTime: timestampFromDate(new Date('2026-03-28T00:00:00Z')),
      endTime: timestampFromDate(new Date('2026-04-01T00:00:00Z')),
    };
    const overlapPolicy = OverlapPolicy.ALLOW_ALL;
    expect(await world.rpc.call(backfillSchedule, { name, ...span, overlapPolicy })).toMatchObject({ timeCount: 4 });
    const found = (await runsOf(name)).map(({ nominalTime, state, cause }) => [at(nominalTime), state, cause]);
    expect(found).toEqual([
      ['2026-03-31T04:00:00.000Z', STARTED, ScheduleRunCause.BACKFILL],
      ['2026-03-30T04:00:00.000Z', STARTED, ScheduleRunCause.BACKFILL],
      ['2026-03-29T04:00:00.000Z', STARTED, ScheduleRunCause.BACKFILL],
      ['2026-03-28T05:00:00.000Z', STARTED, ScheduleRunCause.BACKFILL],
    ]);
    expect(await world.rpc.call(backfillSchedule, { name, ...span })).toMatchObject({ timeCount: 4 });
    const again = await runsOf(name);
    expect(again).toHaveLength(8);
    // One after another, behind the first four.
    expect(again.filter(({ state }) => state === BUFFERED)).toHaveLength(4);
    const first = await world.rpc.call(listScheduleRuns, { name, pageSize: 5 });
    const second = await world.rpc.call(listScheduleRuns, { name, pageSize: 5, pageToken: first.nextPageToken });
    expect([...first.runs, ...second.runs]).toEqual(again);
    expect(second.nextPageToken).toBe('');
    const years = { startTime: timestampFromDate(new Date(0)), endTime: timestampFromDate(new Date('2026-01-01')) };
    expect(await world.rpc.refused(backfillSchedule, { name, ...years })).toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
  });

  it('skip their times while they are paused, and continue with the next after they are resumed', async () => {
    const { name } = await apply({ times: eachSecond, overlapPolicy: OverlapPolicy.ALLOW_ALL });
    const paused = await world.rpc.call(pauseSchedule, { name, reason: 'stock-taking' });
    expect(paused.schedule).toMatchObject({ paused: true, pauseReason: 'stock-taking' });
    const isPaused = ({ skipReason }: ScheduleRun) => skipReason === ScheduleSkipReason.PAUSED;
    await eventually('a time is skipped', async () => (await runsOf(name)).some(isPaused));
    const resumed = await world.rpc.call(resumeSchedule, { name });
    expect(resumed.schedule).toMatchObject({ paused: false, pauseReason: '' });
    await eventually('a time has its job again', async () => (await runsOf(name))[0]?.state === STARTED);
    await world.rpc.call(deleteSchedule, { name });
  });

  it('pause themselves after a failed job if configured', async () => {
    const retryPolicy = { maxAttempts: 1 };
    const definition = await world.define({ retryPolicy });
    const worker = await world.openWorker(definition);
    const { name } = await apply({ pauseOnFailure: true, job: { definition } });
    const { jobId } = await trigger(name);
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    await eventually('it is paused', async () => (await get(name)).paused);
    expect((await get(name)).pauseReason).toBe(`job ${jobId} failed`);
  });

  it('record a refusal of their job', async () => {
    const definition = await world.define();
    const { name } = await apply({ job: { definition } });
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: definition });
    const run = await trigger(name);
    expect(run).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.REFUSED, jobId: '' });
    expect(run.message).toContain('archived');
  });

  it('end at their maximum number of runs', async () => {
    const { name } = await apply({ times: eachSecond, overlapPolicy: OverlapPolicy.ALLOW_ALL, maxRuns: 2n });
    await eventually('it is over', async () => (await get(name)).jobCount === 2n);
    expect(await get(name)).not.toHaveProperty('nextTime');
    expect(await jobsOf(name)).toHaveLength(2);
    expect(await runsOf(name)).toHaveLength(2);
  });

  it('can be deleted; their jobs stay', async () => {
    const { name } = await apply();
    const { jobId } = await trigger(name);
    await world.rpc.call(deleteSchedule, { name });
    for (const method of [
      getSchedule,
      deleteSchedule,
      pauseSchedule,
      resumeSchedule,
      triggerSchedule,
      listScheduleRuns,
    ])
      expect(await world.rpc.refused<never, never>(method as never, { name } as never)).toMatchObject({
        code: Code.NOT_FOUND,
        reason: 'SCHEDULE_NOT_FOUND',
      });
    expect((await world.getJob(jobId)).jobId).toBe(jobId);
  });

  it('can be previewed, before they are created and after', async () => {
    const afterTime = timestampFromDate(new Date('2026-03-07T12:00:00Z'));
    const times = { crons: ['30 2 * * *'], timeZone: 'America/New_York' };
    const rules = await world.rpc.call(previewSchedule, { times, afterTime, count: 3 });
    expect(rules.times.map(at)).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:30:00.000Z',
      '2026-03-10T06:30:00.000Z',
    ]);
    const { name } = await apply({ times });
    expect(await world.rpc.call(previewSchedule, { name, afterTime, count: 3 })).toEqual(rules);
    expect((await world.rpc.call(previewSchedule, { times })).times).toHaveLength(10);
  });

  it('can not be previewed if they name no time at all', async () => {
    const refused = await world.rpc.refused(previewSchedule, { times: { crons: ['0 0 30 2 *'] } });
    expect(refused).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['times'] });
    expect(refused.message).toContain('names no time at all');
  });
});
