/** Back-pressure over the wire: full queues refuse submissions, lowest priorities first. */

import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { JobState, type JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobFilterSchema, JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Queue } from '@muster-jobs/sdk/gen/muster/v1/queue_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { sumOf } from '../../../../server/cli/top/metrics-text.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { readMetrics } from '../../../support/telemetry/replica-metrics.ts';
import { World } from '../base/world.ts';

const { createQueue, getQueue, updateQueue, deleteQueue, listQueues } = QueueService.method;
const { submitJob, submitJobs, retryJob, retryJobs, cancelJob } = JobService.method;

type Submission = MessageInitShape<typeof JobSubmissionSchema>;

describe.each(databaseKinds)('queues with bounds on %s', (kind) => {
  let world: World;
  let definition: string;
  let queues = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
    definition = await world.define();
  });

  afterAll(() => world?.stop());

  /** A new queue with a bound and that many jobs. */
  async function fullQueue(maxBacklog: bigint, jobs: number): Promise<string> {
    const name = `full-${++queues}`;
    await world.rpc.call(createQueue, { queue: { name, maxBacklog } });
    if (jobs > 0) await world.rpc.call(submitJobs, { jobs: Array.from({ length: jobs }, () => jobOf(name)) });
    return name;
  }

  const jobOf = (queue: string, changes: Submission = {}): Submission => ({ definition, queue, ...changes });
  const submit = (queue: string, changes: Submission = {}) => world.rpc.call(submitJob, { job: jobOf(queue, changes) });
  const refused = (queue: string, changes: Submission = {}) =>
    world.rpc.refused(submitJob, { job: jobOf(queue, changes) });
  const get = async (name: string) => (await world.rpc.call(getQueue, { name })).queue as Queue;
  const ready = async (name: string) => Number((await get(name)).counts?.ready);

  it('show their bounds, and change them by update mask', async () => {
    const name = await fullQueue(5n, 0);
    const seconds = (queue: Queue | undefined) => queue?.maxBacklogAge?.seconds;
    expect(await get(name)).toMatchObject({ maxBacklog: 5n });
    expect(seconds(await get(name))).toBeUndefined();
    const update = async (queue: object, paths?: string[]) =>
      (await world.rpc.call(updateQueue, { queue: { name, ...queue }, ...(paths ? { updateMask: { paths } } : {}) }))
        .queue;
    const aged = await update({ maxBacklogAge: { seconds: 300n } });
    expect([aged?.maxBacklog, seconds(aged)]).toEqual([5n, 300n]);
    expect((await update({ description: 'd' }))?.maxBacklog).toBe(5n);
    const cleared = await update({}, ['max_backlog', 'max_backlog_age']);
    expect([cleared?.maxBacklog, seconds(cleared), cleared?.description]).toEqual([0n, undefined, 'd']);
    await update({ maxBacklog: 1_000_000_000n, maxBacklogAge: { seconds: 2_592_000n } });
    const listed = (await world.rpc.call(listQueues, { pageSize: 1_000 })).queues.find((queue) => queue.name === name);
    expect([listed?.maxBacklog, seconds(listed)]).toEqual([1_000_000_000n, 2_592_000n]);
  });

  it('refuse a job with the reason and a retry delay, and store nothing', async () => {
    const queue = await fullQueue(3n, 3);
    const refusal = await refused(queue);
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'QUEUE_FULL', fields: ['job'] });
    expect(refusal.info?.metadata).toEqual({
      namespace: 'default',
      queue,
      bound: 'max_backlog',
      waiting: '3',
      max_backlog: '3',
      priority: '0',
    });
    expect(refusal.retryDelayMs).toBeGreaterThanOrEqual(1_000);
    expect(refusal.retryDelayMs).toBeLessThanOrEqual(60_000);
    expect(refusal.message).toContain(`queue ${queue} has 3 ready jobs; with priority 0 3 are the most`);
    expect(await ready(queue)).toBe(3);
  });

  it('accept jobs of high priority at a larger backlog, and stop jobs of low priority earlier', async () => {
    const queue = await fullQueue(10n, 7);
    await submit(queue, { priority: -1 });
    expect((await refused(queue, { priority: -1 })).info?.metadata).toMatchObject({ waiting: '8', priority: '-1' });
    for (let n = 0; n < 2; n++) await submit(queue);
    expect((await refused(queue)).reason).toBe('QUEUE_FULL');
    for (let n = 0; n < 2; n++) await submit(queue, { priority: 100 });
    expect((await refused(queue, { priority: 100 })).info?.metadata).toMatchObject({ waiting: '12' });
    expect(await ready(queue)).toBe(12);
  });

  it('use the priority of the definition if the job has none', async () => {
    const urgent = await world.define({ priority: 5 });
    const queue = await fullQueue(5n, 5);
    await world.submit(urgent, { queue });
    expect((await world.rpc.refused(submitJob, { job: { definition: urgent, queue } })).reason).toBe('QUEUE_FULL');
  });

  it('refuse a whole call, whatever else is in it, and name the first job beyond the bound', async () => {
    const queue = await fullQueue(3n, 1);
    const other = `other-${queues}`;
    const jobs = [jobOf(other), ...Array.from({ length: 3 }, () => jobOf(queue))];
    const refusal = await world.rpc.refused(submitJobs, { jobs });
    expect(refusal).toMatchObject({ reason: 'QUEUE_FULL', fields: ['jobs[3]'] });
    expect(refusal.message).toContain('1 ready job and 2 of this call');
    expect((await world.rpc.refused(getQueue, { name: other })).reason).toBe('QUEUE_NOT_FOUND');
    await world.rpc.call(submitJobs, { jobs: jobs.slice(0, 3) });
    expect([await ready(queue), await ready(other)]).toEqual([3, 1]);
  });

  it('accept no more than their bound from concurrent calls', async () => {
    const queue = await fullQueue(5n, 0);
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => submit(queue)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await ready(queue)).toBe(5);
  });

  it('refuse delayed jobs too, which do not count until they are ready', async () => {
    const queue = await fullQueue(2n, 0);
    const later: Submission = { start: { case: 'delay', value: { seconds: 3_600n } } };
    for (let n = 0; n < 5; n++) await submit(queue, later);
    await world.rpc.call(submitJobs, { jobs: [jobOf(queue), jobOf(queue)] });
    expect((await refused(queue, later)).reason).toBe('QUEUE_FULL');
  });

  it('answer a repeat of an accepted call as before, however full they are by then', async () => {
    const queue = await fullQueue(2n, 1);
    const request = { job: jobOf(queue), requestId: randomUUID() };
    const { jobId } = await world.rpc.call(submitJob, request);
    expect((await refused(queue)).reason).toBe('QUEUE_FULL');
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId, existing: true });
    const reused = { job: jobOf(queue, { priority: 1 }), requestId: request.requestId };
    await world.rpc.call(submitJob, { job: jobOf(queue, { priority: 1 }) });
    expect((await world.rpc.refused(submitJob, reused)).reason).toBe('REQUEST_ID_REUSED');
    // A refused call leaves its request id free.
    const late = { job: jobOf(queue), requestId: randomUUID() };
    expect((await world.rpc.refused(submitJob, late)).reason).toBe('QUEUE_FULL');
    await world.rpc.call(updateQueue, { queue: { name: queue, maxBacklog: 9n } });
    expect(await world.rpc.call(submitJob, late)).toMatchObject({ existing: false });
  });

  it('answer an idempotency key with a job as before, and refuse a new job', async () => {
    const queue = await fullQueue(2n, 1);
    const keyed = (idempotencyKey: string, changes: Submission = {}) => jobOf(queue, { idempotencyKey, ...changes });
    const { jobId } = await world.rpc.call(submitJob, { job: keyed(`${queue}-a`) });
    expect(await world.rpc.call(submitJob, { job: keyed(`${queue}-a`) })).toMatchObject({ jobId, existing: true });
    const conflict = await world.rpc.refused(submitJob, { job: keyed(`${queue}-a`, { labels: { x: 'y' } }) });
    expect(conflict.reason).toBe('IDEMPOTENCY_CONFLICT');
    const jobs = [keyed(`${queue}-a`), keyed(`${queue}-b`)];
    expect(await world.rpc.refused(submitJobs, { jobs })).toMatchObject({ reason: 'QUEUE_FULL', fields: ['jobs[1]'] });
    // A call that would replace another job is new: nothing is cancelled for it.
    const replacing = keyed(`${queue}-a`, { idempotencyConflictPolicy: 3, labels: { x: 'z' } });
    expect((await world.rpc.refused(submitJob, { job: replacing })).reason).toBe('QUEUE_FULL');
    expect((await world.getJob(jobId)).state).toBe(JobState.READY);
  });

  it('refuse RetryJob, which can be repeated, and skip jobs without room in RetryJobs', async () => {
    const queue = await fullQueue(0n, 5);
    const filter = create(JobFilterSchema, { queue });
    await world.rpc.call(JobService.method.cancelJobs, { filter });
    const states = [JobState.CANCELLED];
    const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { queue, states } });
    await world.rpc.call(updateQueue, { queue: { name: queue, maxBacklog: 2n } });
    const [first = '', second = '', third = ''] = jobs.map((job) => job.jobId);
    const request = { jobId: first, requestId: randomUUID() };
    const made = await world.rpc.call(retryJob, request);
    await world.rpc.call(retryJob, { jobId: second });
    const refusal = await world.rpc.refused(retryJob, { jobId: third });
    expect(refusal).toMatchObject({ reason: 'QUEUE_FULL', fields: ['job_id'] });
    expect((await world.rpc.call(retryJob, request)).job?.jobId).toBe(made.job?.jobId);
    const all = { filter: create(JobFilterSchema, { queue, states }), requestId: randomUUID() };
    expect((await world.rpc.refused(retryJobs, all)).reason).toBe('QUEUE_FULL');
    await world.rpc.call(updateQueue, { queue: { name: queue, maxBacklog: 50n } });
    await world.rpc.call(retryJobs, all);
    expect(await ready(queue)).toBe(5);
  });

  it('accept jobs of schedules: a time must not be lost', async () => {
    const queue = await fullQueue(1n, 1);
    const times = { intervals: [{ every: { seconds: 86_400n } }] };
    const schedule = { name: queue, times, job: jobOf(queue) };
    await world.rpc.call(ScheduleService.method.applySchedule, { schedule });
    const { run } = await world.rpc.call(ScheduleService.method.triggerSchedule, { name: queue });
    expect((await world.getJob(run?.jobId ?? '')).queue).toBe(queue);
    expect(await ready(queue)).toBe(2);
  });

  it('accept jobs again after some have left, and follow a changed bound at once', async () => {
    const queue = await fullQueue(2n, 0);
    const served = await world.define();
    for (let n = 0; n < 2; n++) await world.submit(served, { queue });
    expect((await refused(queue)).reason).toBe('QUEUE_FULL');
    const worker = await world.openWorker(served);
    await worker.take(2);
    await eventually('there is room', () => submit(queue).catch(() => false));
    await world.rpc.call(updateQueue, {
      queue: { name: queue, maxBacklog: 0n },
      updateMask: { paths: ['max_backlog'] },
    });
    for (let n = 0; n < 5; n++) await submit(queue);
  });

  it('refuse by the age of the backlog', async () => {
    const alone = await world.define();
    const name = `old-${++queues}`;
    await world.rpc.call(createQueue, { queue: { name, maxBacklogAge: { seconds: 1n } } });
    const job = { definition: alone, queue: name };
    const { jobId } = await world.rpc.call(submitJob, { job });
    const refusal = await eventually('it is old', () =>
      world.rpc.call(submitJob, { job }).then(
        () => undefined,
        (error) => error,
      ),
    );
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'QUEUE_FULL', fields: ['job'] });
    expect(refusal.info?.metadata).toMatchObject({ bound: 'max_backlog_age', max_backlog_age: '1s', priority: '0' });
    expect(Number.parseFloat(refusal.info?.metadata.age ?? '')).toBeGreaterThanOrEqual(1);
    expect((await world.getJob(jobId)).state).toBe(JobState.READY);
    const all = await eventually('the refusal is counted', async () => {
      const families = await readMetrics(world.replica.httpAddress);
      const labels = { muster_queue: name, muster_queue_bound: 'max_backlog_age' };
      return sumOf(families, 'muster_submission_refused_total', labels);
    });
    expect(all).toBe(1);
    await world.rpc.call(JobService.method.cancelJobs, { filter: create(JobFilterSchema, { queue: name }) });
    await eventually('nothing waits any more', () => world.rpc.call(submitJob, { job }).catch(() => false));
  });

  it('lose their bounds when they are deleted', async () => {
    const queue = await fullQueue(1n, 1);
    const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { queue } });
    await world.rpc.call(cancelJob, { jobId: jobs[0]?.jobId ?? '' });
    await world.rpc.call(deleteQueue, { name: queue });
    for (let n = 0; n < 3; n++) await submit(queue);
    expect(await get(queue)).toMatchObject({ maxBacklog: 0n });
  });
});
