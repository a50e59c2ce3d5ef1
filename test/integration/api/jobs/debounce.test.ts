/** Debounce as callers see it: of submissions in quick succession the last one becomes the job that runs. */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Job, JobState, type JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { DebounceSchema } from '@muster-jobs/sdk/gen/muster/v1/submission_rule_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs, waitJob, listJobs, retryJob } = JobService.method;
type Submission = MessageInitShape<typeof JobSubmissionSchema>;
const hour = { seconds: 3_600n };
const tenth = { nanos: 100_000_000 };

let world: World;

const define = (debounce: MessageInitShape<typeof DebounceSchema>, changes: object = {}) =>
  world.define({ debounce, ...changes });
const input = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });
const submit = (definition: string, changes: Submission = {}) =>
  world.rpc.call(submitJob, { job: { definition, ...changes } });

async function jobsOf(definition: string): Promise<Job[]> {
  return (await world.rpc.call(listJobs, { pageSize: 1_000, filter: { definition } })).jobs;
}

/** The delay from the creation of `from` to the run time, in ms. */
function waitOf(job: Job, from: Job = job): number {
  if (!job.runTime || !from.createTime) throw new Error('a debounced job has a run time');
  return timestampMs(job.runTime) - timestampMs(from.createTime);
}

describe.each(databaseKinds)('debounce on %s', (kind) => {
  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  it('delays a job, and replaces it with the next one, which the old one names', async () => {
    const definition = await define({ wait: hour });
    const first = await submit(definition);
    expect(first.existing).toBe(false);
    expect(await world.stateOf(first.jobId)).toBe('SCHEDULED');
    expect(Math.abs(waitOf(await world.getJob(first.jobId)) - 3_600_000)).toBeLessThan(5_000);
    const waiting = world.rpc.call(waitJob, { jobId: first.jobId, timeout: { seconds: 60n } });
    const second = await submit(definition);
    expect(second.existing).toBe(false);
    const { job } = await waiting;
    expect(job).toMatchObject({ state: JobState.CANCELLED, stateReason: `replaced by job ${second.jobId}` });
    expect(await world.stateOf(second.jobId)).toBe('SCHEDULED');
  });

  it('starts the last one after its wait, and starts anew after that', async () => {
    const definition = await define({ wait: tenth }, { retryPolicy: { maxAttempts: 1 } });
    const worker = await world.openWorker(definition);
    const [, , third] = (await world.rpc.call(submitJobs, { jobs: [1, 2, 3].map(() => ({ definition })) })).jobs;
    const [of] = await worker.take(1);
    if (!of || !third) throw new Error('nothing was assigned');
    expect(await world.stateOf(third.jobId)).toMatch(/ASSIGNED|RUNNING/);
    const next = await submit(definition);
    expect(next.existing).toBe(false);
    await worker.report({ of, outcome: outcomes.result() });
    await worker.take(1);
    expect((await jobsOf(definition)).filter(({ state }) => state === JobState.CANCELLED)).toHaveLength(2);
    expect(await world.stateOf(third.jobId)).toBe('SUCCEEDED');
    await worker.disconnect();
  });

  it('starts at the latest at the limit of the first one', async () => {
    const definition = await define({ wait: { seconds: 60n }, maxWait: { seconds: 61n } }, { totalTimeout: hour });
    const first = await world.getJob((await submit(definition)).jobId);
    const until = timestampMs(first.createTime as NonNullable<Job['createTime']>) + 1_500;
    // Waits until a delay of one minute would exceed the limit of the first job.
    const last = await eventually('the longest wait is reached', async () => {
      const job = await world.getJob((await submit(definition)).jobId);
      return timestampMs(job.createTime as NonNullable<Job['createTime']>) > until && job;
    });
    expect(Math.abs(waitOf(last, first) - 61_000)).toBeLessThan(1_000);
    expect(waitOf(last)).toBeLessThan(60_000);
    expect((await jobsOf(definition)).filter(({ state }) => state === JobState.SCHEDULED)).toHaveLength(1);
  });

  it('compares the named parts of the input', async () => {
    const definition = await define({ wait: hour, fields: ['user'] });
    const one = await submit(definition, { input: input({ user: 1, n: 1 }) });
    const other = await submit(definition, { input: input({ user: 2, n: 1 }) });
    const again = await submit(definition, { input: input({ user: 1, n: 2 }) });
    const states = await Promise.all([one, other, again].map(({ jobId }) => world.stateOf(jobId)));
    expect(states).toEqual(['CANCELLED', 'SCHEDULED', 'SCHEDULED']);
    const refusal = await world.rpc.refused(submitJob, { job: { definition, input: input({ n: 1 }) } });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
    expect(refusal.message).toContain('"user"');
  });

  it('leaves one waiting job of many concurrent ones, each of the others naming its successor', async () => {
    const definition = await define({ wait: hour });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? twice(definition) : submit(definition).then((job) => [job]))),
    );
    const ids = answers.flat().map(({ jobId }) => jobId);
    expect(new Set(ids).size).toBe(40);
    const jobs = await jobsOf(definition);
    expect(jobs.map(({ jobId }) => jobId).sort()).toEqual([...ids].sort());
    expect(jobs.filter(({ state }) => state === JobState.SCHEDULED)).toHaveLength(1);
    const successors = jobs.flatMap(({ stateReason }) => /^replaced by job (.*)$/.exec(stateReason)?.[1] ?? []);
    expect(new Set(successors).size).toBe(39);
    expect(successors.every((jobId) => ids.includes(jobId))).toBe(true);
  });

  it('replaces within a call, each job with the next', async () => {
    const definition = await define({ wait: hour });
    const before = await submit(definition);
    const [one, two, three] = (await world.rpc.call(submitJobs, { jobs: [1, 2, 3].map(() => ({ definition })) })).jobs;
    const reasonOf = async (job: { jobId: string } | undefined) => (await world.getJob(job?.jobId ?? '')).stateReason;
    expect(await reasonOf(before)).toBe(`replaced by job ${one?.jobId}`);
    expect(await reasonOf(one)).toBe(`replaced by job ${two?.jobId}`);
    expect(await reasonOf(two)).toBe(`replaced by job ${three?.jobId}`);
    expect(await world.stateOf(three?.jobId ?? '')).toBe('SCHEDULED');
  });

  it('replaces thousands within a call', async () => {
    const definition = await define({ wait: hour });
    const jobs = Array.from({ length: 2_500 }, () => ({ definition }));
    const ids = (await world.rpc.call(submitJobs, { jobs })).jobs.map(({ jobId }) => jobId);
    expect(new Set(ids).size).toBe(2_500);
    const { jobs: waiting } = await world.rpc.call(listJobs, { filter: { definition, states: [JobState.SCHEDULED] } });
    expect(waiting.map(({ jobId }) => jobId)).toEqual([ids.at(-1)]);
    expect(await world.stateOf(ids[1_000] as string)).toBe('CANCELLED');
  });

  it('refuses a start time in the submission', async () => {
    const definition = await define({ wait: hour });
    const delayed = { definition, start: { case: 'delay', value: hour } } as const;
    const timed = { definition, start: { case: 'runTime', value: { seconds: 4_000_000_000n } } } as const;
    const [one, two] = [
      await world.rpc.refused(submitJob, { job: delayed }),
      await world.rpc.refused(submitJobs, { jobs: [{ definition }, timed] }),
    ];
    expect([one.code, one.reason, one.fields]).toEqual([Code.INVALID_ARGUMENT, 'INVALID_FIELD', ['job.delay']]);
    expect([two.code, two.reason, two.fields]).toEqual([Code.INVALID_ARGUMENT, 'INVALID_FIELD', ['jobs[1].run_time']]);
    expect(await jobsOf(definition)).toEqual([]);
  });

  it('replaces nothing for a repeat of a call', async () => {
    const definition = await define({ wait: hour });
    const request = { requestId: randomUUID(), job: { definition } };
    const { jobId } = await world.rpc.call(submitJob, request);
    const keyed = await submit(definition, { idempotencyKey: `${definition}-key` });
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId, existing: true });
    expect(await submit(definition, { idempotencyKey: `${definition}-key` })).toMatchObject({
      jobId: keyed.jobId,
      existing: true,
    });
    expect(await world.stateOf(keyed.jobId)).toBe('SCHEDULED');
    expect(await jobsOf(definition)).toHaveLength(2);
  });

  it('does not apply to manual retries', async () => {
    const definition = await define({ wait: hour });
    const first = await submit(definition);
    const second = await submit(definition);
    const { job } = await world.rpc.call(retryJob, { jobId: first.jobId });
    expect(job).toMatchObject({ state: JobState.READY, retryOf: first.jobId });
    expect(await world.stateOf(second.jobId)).toBe('SCHEDULED');
  });
});

async function twice(definition: string): Promise<{ readonly jobId: string }[]> {
  return (await world.rpc.call(submitJobs, { jobs: [{ definition }, { definition }] })).jobs;
}
