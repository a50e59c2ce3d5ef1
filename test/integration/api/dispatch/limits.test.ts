/** Limits over the wire: never exceeded, and the fate of a job beyond them. */

import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Client, Worker } from '@muster-jobs/sdk';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { type KeyLimitSchema, LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import type { QueueSchema } from '@muster-jobs/sdk/gen/muster/v1/queue_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { createQueue, updateQueue, getQueue } = QueueService.method;
const { submitJob, submitJobs, listJobs } = JobService.method;
const done = outcomes.result();
const idOf = ({ jobId }: Assignment) => uuidFromBytes(jobId);
const ofTenant = (tenant: string) => ({ input: { data: Buffer.from(JSON.stringify({ tenant })) } });

describe.each(databaseKinds)('limits on %s', (kind) => {
  let world: World;
  let names = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  async function makeQueue(changes: Exclude<MessageInitShape<typeof QueueSchema>, { $typeName: string }>) {
    const name = `queue-${++names}`;
    await world.rpc.call(createQueue, { queue: { name, ...changes } });
    return name;
  }

  const submitMany = async (definition: string, count: number, changes: object = {}) => {
    const jobs = Array.from({ length: count }, () => ({ definition, ...changes }));
    return (await world.rpc.call(submitJobs, { jobs })).jobs.map(({ jobId }) => jobId);
  };

  const limitTo = (limit: MessageInitShape<typeof KeyLimitSchema>, changes: object = {}) =>
    world.define({ keyLimit: limit, ...changes });

  const assignedOf = (worker: TestWorker) => worker.assigned.map(idOf);

  /** Proves that every earlier job had its turn: a job of another definition is assigned after all that came before. */
  async function proveDispatch(): Promise<void> {
    const other = await world.define();
    const worker = await world.openWorker(other);
    await world.submit(other);
    await worker.take(1);
  }

  it('of a queue apply to a worker of many slots, and all jobs end', async () => {
    const queue = await makeQueue({ maxConcurrency: 3 });
    const [one, two] = [await world.define({ queue }), await world.define({ queue })] as const;
    const client = new Client({ address: world.replica.grpcAddress });
    const held: number[] = [];
    let waiting: (() => void)[] = [];
    // Ends only when two others run with it, after reading how many are held, so that the limit is reached each time.
    const handler = async () => {
      const together = new Promise<void>((resolve) => waiting.push(resolve));
      if (waiting.length % 3 === 0) {
        held.push(Number((await client.getQueue(queue)).counts?.leased));
        const released = waiting;
        waiting = [];
        for (const release of released) release();
      }
      await together;
      return null;
    };
    const handlers = { [one]: handler, [two]: handler };
    const worker = new Worker({
      address: world.replica.grpcAddress,
      name: queue,
      slots: 50,
      handlers,
      logger: { log: () => {} },
    });
    const running = worker.run();
    try {
      const jobIds = [...(await submitMany(one, 45)), ...(await submitMany(two, 45))];
      for (const jobId of jobIds) expect((await client.wait(jobId)).state).toBe(JobState.SUCCEEDED);
      expect(held).toEqual(held.map(() => 3));
      expect(held).toHaveLength(30);
    } finally {
      await worker.stop();
      await running;
      client.close();
    }
  });

  it('are set and removed by UpdateQueue: waiting jobs continue at once', async () => {
    const queue = await makeQueue({});
    const definition = await world.define({ queue });
    const worker = await world.openWorker(definition);
    const update = (changes: object, ...paths: string[]) =>
      world.rpc.call(updateQueue, { queue: { name: queue, ...changes }, updateMask: { paths } });
    await update({ maxConcurrency: 2 }, 'max_concurrency');
    const jobIds = await submitMany(definition, 6);
    await worker.becomeReachable();
    await worker.offer(10);
    await eventually('two are assigned', () => worker.assigned.length === 2);
    await proveDispatch();
    expect(assignedOf(worker)).toEqual(jobIds.slice(0, 2));
    await update({ maxConcurrency: 3 }, 'max_concurrency');
    await eventually('a third one is', () => worker.assigned.length === 3);
    // Lowered: running jobs continue, and no other one starts before there are fewer.
    await update({ maxConcurrency: 1 }, 'max_concurrency');
    const [first, second] = worker.assigned as [Assignment, Assignment];
    await worker.report({ of: first, outcome: done }, { of: second, outcome: done });
    await proveDispatch();
    expect(worker.assigned).toHaveLength(3);
    const { queue: bare } = (await update({}, 'max_concurrency')) as { queue: { maxConcurrency: number } };
    expect(bare.maxConcurrency).toBe(0);
    await eventually('all are assigned', () => worker.assigned.length === 6);
    const rateLimit = { units: 1, period: { seconds: 3_600n } };
    await update({ rateLimit, fairnessWeights: { a: 2 } }, 'rate_limit', 'fairness_weights');
    const { queue: read } = await world.rpc.call(getQueue, { name: queue });
    expect(read).toMatchObject({ rateLimit: { units: 1, burst: 1 }, fairnessWeights: { a: 2 } });
    const cleared = await update({}, 'rate_limit', 'fairness_weights');
    expect(cleared.queue?.rateLimit).toBeUndefined();
    expect(cleared.queue?.fairnessWeights).toEqual({});
  });

  it('of a definition apply to all versions, with the numbers of the newest', async () => {
    const definition = await world.define({ maxConcurrency: 1 });
    const worker = await world.openWorker(definition);
    await submitMany(definition, 2);
    await world.define({ name: definition, maxConcurrency: 2, description: 'newer' });
    await submitMany(definition, 3);
    await worker.becomeReachable();
    await worker.offer(10);
    await eventually('two are assigned', () => worker.assigned.length === 2);
    await proveDispatch();
    expect(worker.assigned).toHaveLength(2);
    await world.define({ name: definition, description: 'newest' });
    await eventually('all are assigned', () => worker.assigned.length === 5);
  });

  it('of a key stop its own jobs alone, which wait as READY and continue when the limit is removed', async () => {
    const definition = await limitTo({ key: 'input.tenant', maxConcurrency: 1 });
    const worker = await world.openWorker(definition);
    const a = await submitMany(definition, 4, ofTenant('a'));
    const [b = ''] = await submitMany(definition, 1, ofTenant('b'));
    await worker.becomeReachable();
    await worker.offer(10);
    await eventually('one of each is assigned', () => worker.assigned.length === 2);
    expect(assignedOf(worker).sort()).toEqual([a[0], b].sort());
    await proveDispatch();
    expect(worker.assigned).toHaveLength(2);
    expect(await world.getJob(a[1] as string)).toMatchObject({ state: JobState.READY, limitKey: 'a', attempt: 0 });
    const first = worker.assigned.find((one) => idOf(one) === a[0]) as Assignment;
    await worker.report({ of: first, outcome: done });
    await eventually('the next one of the key is assigned', () => assignedOf(worker).includes(a[1] as string));
    await proveDispatch();
    expect(worker.assigned).toHaveLength(3);
    await world.define({ name: definition });
    await eventually('all are assigned', () => worker.assigned.length === 5);
  });

  it('of a key with REJECT_NEW refuse the whole call for one job too many, and store nothing of it', async () => {
    const limit = { key: 'labels.k', maxConcurrency: 2, policy: LimitPolicy.REJECT_NEW };
    const definition = await limitTo(limit);
    const of = (k: string) => ({ definition, labels: { k } });
    const [open = ''] = await submitMany(definition, 2, { labels: { k: 'a' } });
    const refusal = await world.rpc.refused(submitJob, { job: of('a') });
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'LIMIT_REACHED' });
    expect(refusal.info?.metadata).toMatchObject({ max_concurrency: '2', open_job_ids: expect.stringContaining(open) });
    // A retry by the client itself would only report a decided refusal later.
    expect(refusal.retryDelayMs).toBeUndefined();
    expect(await world.rpc.refused(submitJobs, { jobs: [of('b'), of('a')] })).toMatchObject({
      message: expect.stringMatching(/^jobs\[1\] would be one job too many/),
    });
    const tooMany = await world.rpc.refused(submitJobs, { jobs: [of('c'), of('c'), of('c')] });
    expect(tooMany.message).toMatch(/its key may have 2 open, and this call has more: submit fewer at once$/);
    expect((await world.rpc.call(listJobs, { filter: { definition } })).jobs).toHaveLength(2);
    const worker = await world.openWorker(definition);
    const [one] = await worker.take(2);
    await worker.report({ of: one as Assignment, outcome: done });
    await world.rpc.call(submitJob, { job: of('a') });
  });

  it('of a key with REJECT_NEW make RetryJobs skip jobs beyond them, and retry those the next time', async () => {
    const definition = await limitTo({ maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW });
    const ended: string[] = [];
    for (let i = 0; i < 2; i++) {
      const jobId = await world.submit(definition);
      await world.rpc.call(JobService.method.cancelJob, { jobId });
      ended.push(jobId);
    }
    const filter = { definition, states: [JobState.CANCELLED] };
    const first = await world.rpc.call(JobService.method.retryJobs, { filter });
    expect(first).toMatchObject({ retriedJobIds: [expect.any(String)], skippedCount: 1 });
    const [jobId = ''] = first.jobIds;
    const refusal = await world.rpc.refused(JobService.method.retryJob, { jobId: ended[0] as string });
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'LIMIT_REACHED' });
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    const second = await world.rpc.call(JobService.method.retryJobs, { filter });
    expect([...first.retriedJobIds, ...second.retriedJobIds]).toEqual(expect.arrayContaining(ended));
  });

  it('of a key with CANCEL_OLDEST cancel the oldest jobs, also running ones, before the new one starts', async () => {
    const definition = await limitTo({ maxConcurrency: 1, policy: LimitPolicy.CANCEL_OLDEST });
    const worker = await world.openWorker(definition);
    const oldest = await world.submit(definition);
    const [runs] = (await worker.take(1)) as [Assignment];
    const second = await world.submit(definition);
    const job = await world.getJob(oldest);
    expect(stateName(job.state)).toBe('CANCELLING');
    expect(job.cancellation?.reason).toBe(`makes way for job ${second} at the limit of its key`);
    await worker.offer(3);
    await proveDispatch();
    expect(assignedOf(worker)).toEqual([oldest]);
    const third = await world.submit(definition);
    expect(await world.stateOf(second)).toBe('CANCELLED');
    await worker.report({ of: runs, outcome: outcomes.cancelled });
    await eventually('the newest is assigned', () => assignedOf(worker).includes(third));
    expect(await world.stateOf(oldest)).toBe('CANCELLED');
  });

  it('of a key with REPLACE_WAITING let the running job continue, and only the newest waits for it', async () => {
    const definition = await limitTo({ maxConcurrency: 1, policy: LimitPolicy.REPLACE_WAITING });
    const worker = await world.openWorker(definition);
    const first = await world.submit(definition);
    const [runs] = (await worker.take(1)) as [Assignment];
    const replaced = [
      await world.submit(definition),
      await world.submit(definition, { start: { case: 'delay', value: { seconds: 3_600n } } }),
    ];
    const last = await world.submit(definition);
    expect(await Promise.all([first, ...replaced, last].map((jobId) => world.stateOf(jobId)))).toEqual([
      'ASSIGNED',
      'CANCELLED',
      'CANCELLED',
      'READY',
    ]);
    await worker.offer(3);
    await worker.report({ of: runs, outcome: done });
    await eventually('the last one is assigned', () => assignedOf(worker).includes(last));
    expect(assignedOf(worker)).toEqual([first, last]);
  });

  it('of rate allow in any period at most the burst and the refilled units, retries included', async () => {
    const [units, periodMs, burst, cost] = [100, 1_000, 6, 2];
    const queue = await makeQueue({ rateLimit: { units, period: { seconds: 1n }, burst } });
    const retryPolicy = { maxAttempts: 2, minBackoff: { nanos: 1_000_000 }, maxBackoff: { nanos: 1_000_000 } };
    const definition = await world.define({ queue, rateCost: cost, retryPolicy });
    const address = world.replica.grpcAddress;
    const handlers = {
      [definition]: (ctx: { attemptCount: number }) => {
        if (ctx.attemptCount === 0) throw new Error('once more');
        return null;
      },
    };
    const worker = new Worker({ address, name: queue, slots: 50, handlers, logger: { log: () => {} } });
    const running = worker.run();
    const client = new Client({ address });
    try {
      const jobs: Job[] = [];
      for (const jobId of await submitMany(definition, 20)) jobs.push(await client.wait(jobId));
      expect(jobs.map(({ state }) => state)).toEqual(jobs.map(() => JobState.SUCCEEDED));
      const times = jobs.flatMap((job) => job.attempts.map(({ assignTime }) => assignTime && timestampMs(assignTime)));
      const sorted = times.map(Number).sort((one, other) => one - other);
      expect(sorted.length).toBeGreaterThanOrEqual(40);
      for (let from = 0; from < sorted.length; from++)
        for (let to = from; to < sorted.length; to++) {
          // Times are read to the millisecond.
          const t = (sorted[to] as number) - (sorted[from] as number) + 2;
          expect((to - from + 1) * cost).toBeLessThanOrEqual(burst + (units * t) / periodMs);
        }
    } finally {
      await worker.stop();
      await running;
      client.close();
    }
  });

  it('of rate start an attempt dearer than the burst when all units are there', async () => {
    const definition = await world.define({ rateLimit: { units: 1, period: { seconds: 3_600n } }, rateCost: 5 });
    const worker = await world.openWorker(definition);
    await submitMany(definition, 2);
    await worker.take(1);
    await worker.offer(5);
    await proveDispatch();
    expect(worker.assigned).toHaveLength(1);
  });

  it('do not apply to clean-ups', async () => {
    const queue = await makeQueue({ maxConcurrency: 1 });
    const body = { case: 'task', value: { cleanupHandler: `clean-${queue}` } } as const;
    const definition = await world.define({ queue, body });
    const worker = await world.openWorker(definition, `clean-${queue}`);
    const [first] = await submitMany(definition, 2);
    const [runs] = (await worker.take(1)) as [Assignment];
    await worker.started(runs);
    await world.rpc.call(JobService.method.cancelJob, { jobId: first as string });
    await worker.report({ of: runs, outcome: outcomes.cancelled });
    // The second job has the only permit of the queue; the clean-up needs none.
    await worker.take(2);
    expect(worker.assigned.map(({ handler }) => handler).sort()).toEqual([`clean-${queue}`, definition, definition]);
  });
});
