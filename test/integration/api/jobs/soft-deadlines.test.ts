/** Soft deadlines: what a job that misses its own shows, and what the control plane does about it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { JobEvent } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import { EventService } from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { DeadlineReaction, type SoftDeadlineSchema } from '@muster-jobs/sdk/gen/muster/v1/soft_deadline_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { sharedPostgres } from '../../../support/databases/postgres.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { readAll } from '../base/rpc.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { explainJob, listJobs, submitJob } = JobService.method;
const { applySchedule, triggerSchedule } = ScheduleService.method;
/** From the deadline: two rounds with their jitter, and the statements. */
const NOTICED_MS = 5_000;
/** By so much a replica may be wrong about the time of its database. */
const CLOCK_MS = 100;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

type Deadline = MessageInitShape<typeof SoftDeadlineSchema>;

function within(seconds: number, rest: Deadline = {}): Deadline {
  return { due: { case: 'after', value: { seconds: BigInt(seconds) } }, ...rest };
}

function missed(jobId: string): Promise<Job> {
  return eventually('the job has missed its deadline', async () => {
    const job = await world.getJob(jobId);
    return job.softDeadlineMissTime && job;
  });
}

async function events(jobId: string): Promise<JobEvent[]> {
  const watch = world.rpc.stream(EventService.method.watchEvents, { jobId, keptOnly: true });
  return (await readAll(watch)).messages.flatMap((page) => page.events);
}

const missesOf = async (jobId: string) => (await events(jobId)).filter((event) => event.softDeadlineMissed);

describe('a job that misses its soft deadline', () => {
  it('runs on, and shows when it should have ended and when that was found', async () => {
    const before = Date.now();
    const { worker, jobId, attempt } = await world.hold({ softDeadline: within(1) });
    const submitted = Date.now();
    const { softDeadlineTime } = await world.getJob(jobId);
    const due = timestampMs(softDeadlineTime as Timestamp);
    expect(due).toBeGreaterThanOrEqual(before + 1_000 - CLOCK_MS);
    expect(due).toBeLessThanOrEqual(submitted + 1_000 + CLOCK_MS);
    const job = await missed(jobId);
    const late = timestampMs(job.softDeadlineMissTime as Timestamp) - due;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(NOTICED_MS);
    expect([JobState.ASSIGNED, JobState.RUNNING]).toContain(job.state);
    expect(await worker.report({ of: attempt, outcome: outcomes.result('done') })).toEqual(['ACCEPTED']);
    expect(await world.getJob(jobId)).toMatchObject({ state: JobState.SUCCEEDED, softDeadlineTime });
  });

  it('has one event of its own, whose revision no other event has', async () => {
    const definition = await world.define({ softDeadline: within(1) });
    const jobId = await world.submit(definition);
    const { revision } = await missed(jobId);
    const all = await eventually('the event is kept', async () => {
      const found = await events(jobId);
      return found.some((event) => event.softDeadlineMissed) && found;
    });
    expect(all).toMatchObject([
      { state: JobState.READY, softDeadlineMissed: false, revision: 1n },
      { state: JobState.READY, previousState: JobState.READY, softDeadlineMissed: true, revision },
    ]);
    const watch = world.rpc.stream(EventService.method.watchEvents, {
      jobId,
      keptOnly: true,
      states: [JobState.READY],
    });
    expect((await readAll(watch)).messages.flatMap((page) => page.events)).toHaveLength(1);
  });

  it('is listed and explained', async () => {
    const definition = await world.define({ softDeadline: within(1) });
    const other = await world.define();
    const [jobId] = [await world.submit(definition), await world.submit(other)];
    const waiting = await world.rpc.call(explainJob, { jobId });
    expect(waiting.explanation?.summary).toMatch(/ Its soft deadline is \S+Z\.$/);
    await missed(jobId);
    const { jobs } = await world.rpc.call(listJobs, { filter: { definition, softDeadlineMissed: true } });
    expect(jobs.map((job) => job.jobId)).toEqual([jobId]);
    expect(jobs[0]?.softDeadlineMissTime).toBeDefined();
    const none = await world.rpc.call(listJobs, { filter: { definition: other, softDeadlineMissed: true } });
    expect(none.jobs).toEqual([]);
    const late = await world.rpc.call(explainJob, { jobId });
    expect(late.explanation?.summary).toMatch(/ It missed its soft deadline of \S+Z\.$/);
  });

  it('is found to have missed it also if it ends before anybody looks', async () => {
    const definition = await world.define();
    const jobId = await world.submit(definition, {
      softDeadline: { due: { case: 'time', value: timestampFromMs(Date.now() - 60_000) } },
      start: { case: 'delay', value: { seconds: 0n, nanos: 1 } },
    });
    const worker = await world.openWorker(definition);
    const [attempt] = (await worker.take(1)) as [Assignment];
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    const { state, revision } = await missed(jobId);
    expect(state).toBe(JobState.SUCCEEDED);
    expect(await eventually('its event', async () => (await missesOf(jobId))[0])).toMatchObject({ revision });
  });

  it('is not one that ends in time', async () => {
    const { worker, jobId, attempt } = await world.hold({ softDeadline: within(1) });
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    const late = await world.submit(await world.define({ softDeadline: within(1) }));
    await missed(late);
    await eventually('its event', async () => (await missesOf(late))[0]);
    const job = await world.getJob(jobId);
    expect(job.softDeadlineTime).toBeDefined();
    expect(job.softDeadlineMissTime).toBeUndefined();
    expect(await missesOf(jobId)).toEqual([]);
  });
});

describe('the reaction to a miss', () => {
  it('RAISE_PRIORITY lets a waiting job pass others', async () => {
    const definition = await world.define();
    const first = await world.submit(definition);
    const softDeadline = within(1, { reaction: DeadlineReaction.RAISE_PRIORITY, priority: 90 });
    const jobId = await world.submit(definition, { softDeadline });
    expect(await missed(jobId)).toMatchObject({ priority: 90, state: JobState.READY });
    const worker = await world.openWorker(definition);
    const assigned = [...(await worker.take(1)), ...(await worker.take(1))];
    expect(assigned.map((one) => uuidFromBytes(one.jobId))).toEqual([jobId, first]);
  });

  it('RAISE_PRIORITY keeps a higher priority, and the attempt of a job that is held', async () => {
    const raise = within(1, { reaction: DeadlineReaction.RAISE_PRIORITY, priority: 5 });
    const high = await world.submit(await world.define({ softDeadline: raise }), { priority: 7 });
    const { worker, jobId, attempt } = await world.hold({ softDeadline: raise });
    expect(await missed(high)).toMatchObject({ priority: 7 });
    expect(await missed(jobId)).toMatchObject({ priority: 5 });
    expect(await worker.report({ of: attempt, outcome: outcomes.result('done') })).toEqual(['ACCEPTED']);
  });

  it('CANCEL asks the handler of a job to stop, and ends one that waits', async () => {
    const softDeadline = within(1, { reaction: DeadlineReaction.CANCEL });
    const { worker, jobId } = await world.hold({ softDeadline });
    const waiting = await world.submit(await world.define({ softDeadline }));
    await eventually('the notice arrives', () => worker.cancelled.includes(jobId));
    expect(await missed(jobId)).toMatchObject({
      state: JobState.CANCELLING,
      stateReason: 'it missed its soft deadline',
    });
    expect(await missed(waiting)).toMatchObject({ state: JobState.CANCELLED });
  });

  it('applies to a workflow, with its open steps', async () => {
    const step = await world.define();
    const workflow = await world.define({
      body: { case: 'workflow', value: { steps: [{ name: 'only', definition: step }] } },
      softDeadline: within(1, { reaction: DeadlineReaction.CANCEL }),
    });
    const jobId = await world.submit(workflow);
    const ended = await eventually('the workflow ends', async () => {
      const job = await world.getJob(jobId);
      return job.endTime && job;
    });
    expect(ended).toMatchObject({ state: JobState.CANCELLED, stateReason: 'it missed its soft deadline' });
    expect(ended.softDeadlineMissTime).toBeDefined();
  });
});

describe('a replica that has just started', () => {
  it('finds jobs that ended too late, of definitions that it has not met yet', async () => {
    const postgres = await sharedPostgres();
    const postgresUrl = await postgres.createDatabase();
    const first = await World.startWith({ postgresUrl });
    const held = await first.hold();
    await held.worker.report({ of: held.attempt, outcome: outcomes.result('done') });
    await first.stop();
    const client = new pg.Client(postgresUrl);
    await client.connect();
    await client.query('UPDATE muster.jobs SET soft_deadline = create_time');
    await client.query(
      'INSERT INTO muster.soft_deadlines (job_id, time, reaction, priority) SELECT job_id, create_time, 3, 0 FROM muster.jobs',
    );
    await client.end();
    const second = await World.startWith({ postgresUrl });
    const job = await eventually('it has missed its deadline', async () => {
      const found = await second.getJob(held.jobId);
      return found.softDeadlineMissTime && found;
    });
    expect(job).toMatchObject({ state: JobState.SUCCEEDED });
    await second.stop();
    await postgres.stop();
  });
});

describe('the soft deadline of a schedule’s job', () => {
  it('counts from the time in the schedule', async () => {
    const definition = await world.define();
    const job = { definition, softDeadline: within(3600), fairnessKey: 'team-a' };
    const times = { crons: ['0 0 1 1 *'] };
    await world.rpc.call(applySchedule, { schedule: { name: 'nightly', times, job } });
    const { run } = await world.rpc.call(triggerSchedule, { name: 'nightly' });
    const { softDeadlineTime, labels, fairnessKey } = await world.getJob(run?.jobId ?? '');
    const nominal = Date.parse(labels['muster/schedule-time'] ?? '');
    expect(Math.abs(timestampMs(softDeadlineTime as Timestamp) - nominal - 3_600_000)).toBeLessThanOrEqual(1);
    expect(fairnessKey).toBe('team-a');
  });
});

it('a template of a schedule refuses what is each job’s own', async () => {
  const definition = await world.define();
  const own = {
    dependsOn: [{ on: { case: 'jobId' as const, value: await world.submit(definition) } }],
    softDeadline: { due: { case: 'time' as const, value: timestampFromMs(Date.now()) } },
  };
  const schedule = { name: 'own', times: { crons: ['0 0 1 1 *'] }, job: { definition, ...own } };
  const refusal = await world.rpc.refused(applySchedule, { schedule });
  expect(refusal.fields).toEqual(['schedule.job.depends_on', 'schedule.job.soft_deadline.time']);
});

describe('a soft deadline that is refused', () => {
  it.each<[string, Deadline, string]>([
    ['without a time', {}, 'job.soft_deadline'],
    ['shorter than a second', { due: { case: 'after', value: { nanos: 1 } } }, 'job.soft_deadline.after'],
    ['with an unknown reaction', within(1, { reaction: 9 as DeadlineReaction }), 'job.soft_deadline.reaction'],
    ['with a priority that has no effect', within(1, { priority: 3 }), 'job.soft_deadline.priority'],
    [
      'with a priority out of range',
      within(1, { priority: 101, reaction: DeadlineReaction.RAISE_PRIORITY }),
      'job.soft_deadline.priority',
    ],
  ])('is one %s', async (_, softDeadline, field) => {
    const definition = await world.define();
    const error = await world.rpc.refused(submitJob, { job: { definition, softDeadline } });
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.fields).toContain(field);
  });

  it('is the same time for all jobs of a definition', async () => {
    const softDeadline: Deadline = { due: { case: 'time', value: timestampFromMs(Date.now()) } };
    await expect(world.define({ softDeadline })).rejects.toThrow('definition.soft_deadline.time');
  });
});

describe('more jobs than one page that miss their soft deadlines together', () => {
  it.runIf(runsAll)('are all found, raised and listed, each once', { timeout: 120_000 }, async () => {
    const definition = await world.define();
    const time = timestampFromMs(Date.now() + 3_000);
    const due = { case: 'time', value: time } as const;
    const softDeadline = { due, reaction: DeadlineReaction.RAISE_PRIORITY, priority: 7 };
    const jobs = Array.from({ length: 2_100 }, () => ({ definition, softDeadline }));
    const { jobs: submitted } = await world.rpc.call(JobService.method.submitJobs, { jobs });
    const listed = async () => {
      const found: Job[] = [];
      for (let pageToken = ''; ; ) {
        const filter = { definition, softDeadlineMissed: true };
        const page = await world.rpc.call(listJobs, { filter, pageSize: 1_000, pageToken });
        found.push(...page.jobs);
        pageToken = page.nextPageToken;
        if (pageToken === '') return found;
      }
    };
    const late = await eventually(
      'all have missed it',
      async () => {
        const found = await listed();
        return found.length >= jobs.length && found;
      },
      { timeoutMs: 60_000 },
    );
    expect(late.map(({ jobId }) => jobId).sort()).toEqual(submitted.map(({ jobId }) => jobId).sort());
    const lateness = late.map((job) => timestampMs(job.softDeadlineMissTime as Timestamp) - timestampMs(time));
    expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...lateness)).toBeLessThan(NOTICED_MS);
    expect(late.every(({ priority }) => priority === 7)).toBe(true);
  });
});
