/** QueueService over the wire: queues created, read, listed, changed, paused and deleted, and the effect on workers. */

import type { MessageInitShape } from '@bufbuild/protobuf';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Queue } from '@muster-jobs/sdk/gen/muster/v1/queue_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { createQueue, getQueue, listQueues, updateQueue, pauseQueue, resumeQueue, deleteQueue } = QueueService.method;
const { cancelJob, listJobs } = JobService.method;

describe.each(databaseKinds)('queues on %s', (kind) => {
  let world: World;
  let queues = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const newName = () => `queue-${++queues}`;
  const get = async (name: string) => (await world.rpc.call(getQueue, { name })).queue as Queue;
  const create = async (queue: MessageInitShape<typeof createQueue.input>['queue'], requestId = '') =>
    (await world.rpc.call(createQueue, { ...(queue ? { queue } : {}), requestId })).queue as Queue;

  it('are created by a call, read, and refused a second time', async () => {
    const name = newName();
    const made = await create({ name, description: 'Line one.\nLine two; \'--"', paused: true, etag: 'x' });
    expect(made).toMatchObject({ namespace: 'default', name, paused: false, maxConcurrency: 0, pauseReason: '' });
    expect(made.description).toBe('Line one.\nLine two; \'--"');
    expect(made.etag).toMatch(/^1-\w+$/);
    expect(made.counts).toMatchObject({ ready: 0n, scheduled: 0n, leased: 0n });
    expect(await get(name)).toEqual(made);
    expect(await world.rpc.refused(createQueue, { queue: { name } })).toMatchObject({
      code: Code.ALREADY_EXISTS,
      reason: 'QUEUE_EXISTS',
      info: { metadata: { namespace: 'default', queue: name } },
    });
  });

  it('are created by the first job, and count the open ones', async () => {
    const queue = newName();
    const definition = await world.define();
    await world.submit(definition, { queue });
    await world.submit(definition, { queue, start: { case: 'delay', value: { seconds: 3_600n } } });
    expect((await get(queue)).counts).toMatchObject({ ready: 1n, scheduled: 1n, leased: 0n });
    const worker = await world.openWorker(definition);
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    expect((await get(queue)).counts).toMatchObject({ ready: 0n, scheduled: 1n, leased: 1n });
    await worker.started(attempt);
    expect((await get(queue)).counts).toMatchObject({ leased: 1n });
    await worker.report({ of: attempt, outcome: outcomes.result() });
    expect((await get(queue)).counts).toMatchObject({ ready: 0n, scheduled: 1n, leased: 0n });
  });

  it('are listed by name, with page tokens that belong to the list', async () => {
    const namespace = `ns-${++queues}`;
    for (const name of ['c', 'a', 'b']) await create({ namespace, name });
    const first = await world.rpc.call(listQueues, { namespace, pageSize: 2 });
    expect(first.queues.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await world.rpc.call(listQueues, { namespace, pageSize: 2, pageToken: first.nextPageToken });
    expect(second.queues.map(({ name }) => name)).toEqual(['c']);
    expect(second.nextPageToken).toBe('');
    expect(await world.rpc.call(listQueues, { namespace, pageSize: 1e9 })).toMatchObject({ nextPageToken: '' });
    const elsewhere = { namespace: 'default', pageToken: first.nextPageToken };
    expect(await world.rpc.refused(listQueues, elsewhere)).toMatchObject({ fields: ['page_token'] });
  });

  it('are updated only with the etag of their last state', async () => {
    const name = newName();
    const { etag } = await create({ name });
    const update = (queue: object, paths?: string[]) => ({
      queue: { name, ...queue },
      ...(paths ? { updateMask: { paths } } : {}),
    });
    const { queue } = await world.rpc.call(updateQueue, update({ description: 'new', etag }));
    expect(queue?.description).toBe('new');
    expect(await world.rpc.refused(updateQueue, update({ description: 'newer', etag }))).toMatchObject({
      code: Code.ABORTED,
      reason: 'ETAG_STALE',
      info: { metadata: { etag: queue?.etag } },
    });
    expect((await world.rpc.call(updateQueue, update({}))).queue).toEqual(queue);
    const emptied = await world.rpc.call(updateQueue, update({ etag: queue?.etag ?? '' }, ['description']));
    expect(emptied.queue?.description).toBe('');
  });

  it('give nothing on any path while they are paused, and then everything', async () => {
    const [queue, other] = [newName(), newName()];
    const definition = await world.define();
    await world.submit(definition, { queue });
    const paused = (await world.rpc.call(pauseQueue, { name: queue, reason: 'the printer is on fire' })).queue;
    expect(paused).toMatchObject({ paused: true, pauseReason: 'the printer is on fire', counts: { ready: 1n } });
    const worker = await world.openWorker(definition);
    // It comes after the one above, and is the only one that a claim can take.
    const free = await world.submit(definition, { queue: other });
    expect((await worker.take(1)).map(({ jobId }) => jobId)).toEqual([uuidToBytes(free)]);
    // A credit is free at their submission, and the job of the queue that is not paused takes it.
    const assigned = worker.assigned.length;
    await worker.beat({ credits: [{ creditId: 100n, slots: 5 }] });
    const held = await world.submit(definition, { queue });
    const placed = await world.submit(definition, { queue: other });
    await eventually('what is not held back is assigned', () => worker.assigned.length > assigned);
    expect(worker.assigned.slice(assigned).map(({ jobId }) => jobId)).toEqual([uuidToBytes(placed)]);
    expect(await world.stateOf(held)).toBe('READY');
    const { jobs } = await world.rpc.call(listJobs, { pageSize: 9, filter: { queue } });
    const reasons = new Set(jobs.map((job) => job.stateReason));
    expect(reasons).toEqual(new Set([`queue ${queue} is paused: the printer is on fire`]));
    const before = worker.assigned.length;
    expect((await world.rpc.call(resumeQueue, { name: queue })).queue).toMatchObject({
      paused: false,
      pauseReason: '',
    });
    // The credit above still has free slots.
    await eventually('what was held back is assigned', () => worker.assigned.length === before + 2);
    expect((await get(queue)).counts).toMatchObject({ ready: 0n, leased: 2n });
  });

  it('let running jobs continue', async () => {
    const queue = newName();
    const { worker, jobId, attempt } = await world.hold({ queue });
    await world.rpc.call(pauseQueue, { name: queue });
    await worker.report({ of: attempt, outcome: outcomes.result() });
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  });

  it('are deleted without open jobs, once, and created again by the next job', async () => {
    const queue = newName();
    const definition = await world.define();
    const jobId = await world.submit(definition, { queue });
    expect(await world.rpc.refused(deleteQueue, { name: queue })).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'QUEUE_NOT_EMPTY',
      preconditions: ['QUEUE_NOT_EMPTY'],
      info: { metadata: { open_jobs: '1' } },
    });
    await world.rpc.call(cancelJob, { jobId });
    await world.rpc.call(pauseQueue, { name: queue });
    await world.rpc.call(deleteQueue, { name: queue });
    const missing = { code: Code.NOT_FOUND, reason: 'QUEUE_NOT_FOUND' };
    for (const method of [deleteQueue, getQueue, pauseQueue, resumeQueue]) {
      expect(await world.rpc.refused(method as typeof getQueue, { name: queue })).toMatchObject(missing);
    }
    await world.submit(definition, { queue });
    expect(await get(queue)).toMatchObject({ paused: false, counts: { ready: 1n } });
    expect(await (await world.openWorker(definition)).take(1)).toHaveLength(1);
  });

  it('apply a repeated call once, and refuse another call with its request id', async () => {
    const name = newName();
    const [making, pausing, deleting] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    const made = await create({ name }, making);
    expect(await create({ name }, making)).toEqual(made);
    const reused = await world.rpc.refused(pauseQueue, { name, requestId: making });
    expect(reused).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'REQUEST_ID_REUSED', fields: ['request_id'] });
    await world.rpc.call(pauseQueue, { name, requestId: pausing });
    await world.rpc.call(resumeQueue, { name });
    expect((await world.rpc.call(pauseQueue, { name, requestId: pausing })).queue?.paused).toBe(false);
    await world.rpc.call(deleteQueue, { name, requestId: deleting });
    await world.rpc.call(deleteQueue, { name, requestId: deleting });
    expect(await world.rpc.refused(deleteQueue, { name })).toMatchObject({ code: Code.NOT_FOUND });
  });

  it('leave the request id of a refused call free', async () => {
    const [name, requestId] = [newName(), crypto.randomUUID()];
    expect(await world.rpc.refused(deleteQueue, { name, requestId })).toMatchObject({ reason: 'QUEUE_NOT_FOUND' });
    await create({ name });
    await world.rpc.call(deleteQueue, { name, requestId });
    expect(await world.rpc.refused(getQueue, { name })).toMatchObject({ code: Code.NOT_FOUND });
  });
});
