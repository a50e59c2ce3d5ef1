import { beforeEach, describe, expect, it } from 'vitest';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { Queue, QueueChange, QueueName } from '../../../../../server/engine/ports/queues.ts';
import { eventually } from '../../../../support/base/eventually.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  keyOf,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const q: QueueName = { namespace: 'default', name: 'q' };

function queueOf(change: QueueChange): Queue {
  if (change.kind !== 'done') throw new Error(`${change.kind} was not expected`);
  return change.queue;
}

export function queuesSuite(context: StoreContext): void {
  const queues = () => context.store.queues;
  const create = (name: string, description = '') => queues().create({ namespace: 'default', name }, { description });

  describe('queues', () => {
    beforeEach(() => emptyTables(context));

    it('are created once, by a call or by the first lane, and read as they were created', async () => {
      expect(await queues().read(q)).toBeUndefined();
      const made = queueOf(await create('q', 'ä "quoted" \'; DROP TABLE queues'));
      expect(made).toMatchObject({ ...q, paused: false, pauseReason: '', counts: {} });
      expect(made.description).toBe('ä "quoted" \'; DROP TABLE queues');
      expect(await queues().read(q)).toEqual(made);
      expect(await create('q')).toEqual({ kind: 'exists' });
      await makeLane(context, { queue: 'q' });
      expect(await queues().read(q)).toEqual(made);
      await makeLane(context, { queue: 'r' });
      expect(await queues().read({ ...q, name: 'r' })).toMatchObject({ name: 'r', description: '' });
      expect(await create('r')).toEqual({ kind: 'exists' });
      expect(await queues().read({ namespace: 'other', name: 'q' })).toBeUndefined();
    });

    it('are listed by name, page by page, separately for each namespace', async () => {
      for (const name of ['c', 'a', 'd', 'b']) await create(name);
      await queues().create({ namespace: 'other', name: 'z' }, {});
      const first = await queues().list('default', '', 3);
      expect(first).toMatchObject({ queues: [{ name: 'a' }, { name: 'b' }, { name: 'c' }], hasMore: true });
      expect(await queues().list('default', 'c', 3)).toMatchObject({ queues: [{ name: 'd' }], hasMore: false });
    });

    it('end a page that would grow too large', async () => {
      await sql(
        context,
        `INSERT INTO queues (namespace, name, description, create_time)
         SELECT 'default', 'q' || lpad(n::text, 4, '0'), repeat('語', 1024), muster_now() FROM generate_series(1, 1000) AS n`,
      );
      const { queues: page, hasMore } = await queues().list('default', '', 1_000);
      expect(hasMore).toBe(true);
      expect(page.length).toBeGreaterThan(500);
      const rest = await queues().list('default', page.at(-1)?.name ?? '', 1_000);
      expect(page.length + rest.queues.length).toBe(1_000);
    });

    it('count the open jobs of all their lanes, folded or not', async () => {
      const [a, b] = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q', suspect: true })];
      await submitMany(context, a, 4);
      await submitMany(context, b, 2);
      await submitMany(context, await makeLane(context, { queue: 'r' }), 1);
      const later = (await context.store.nowUs()) + 60e6;
      await submitMany(context, a, 3, { state: 'SCHEDULED', runTimeUs: later });
      while (await queues().foldCounts());
      const { sessionId } = await openWorker(context);
      const held = await claimMany(context, a, sessionId, 3);
      await context.store.observe(held.slice(0, 1).map(keyOf), 0);
      await context.store.complete(held.slice(1, 2).map((job) => completionOf(job)));
      const counts = { READY: 3, SCHEDULED: 3, ASSIGNED: 2 };
      expect(await queues().read(q)).toMatchObject({ counts });
      while (await queues().foldCounts());
      expect((await queues().list('default', '', 9)).queues).toMatchObject([{ counts }, { counts: { READY: 1 } }]);
    });

    it('change only with their current etag', async () => {
      const { etag } = queueOf(await create('q'));
      const changed = queueOf(await queues().update(q, { settings: { description: 'new' }, etag }));
      expect(changed.description).toBe('new');
      expect(changed.etag).not.toBe(etag);
      expect(await queues().update(q, { settings: { description: 'newer' }, etag })).toEqual({
        kind: 'stale',
        etag: changed.etag,
      });
      expect(queueOf(await queues().update(q, { settings: {}, etag: '' }))).toEqual(changed);
      expect(queueOf(await queues().update(q, { settings: { description: 'new' }, etag: '' })).etag).toBe(changed.etag);
      const missing = { ...q, name: 'missing' };
      expect(await queues().update(missing, { settings: { description: '' }, etag: '' })).toEqual({ kind: 'missing' });
    });

    it('give nothing while they are paused, except in lanes of clean-ups', async () => {
      const lanes = [
        await makeLane(context, { queue: 'q' }),
        await makeLane(context, { queue: 'q' }),
        await makeLane(context, { queue: 'q', cleanup: true }),
        await makeLane(context, { queue: 'r' }),
      ];
      for (const laneId of lanes) await submitMany(context, laneId, 1);
      const { sessionId } = await openWorker(context);
      expect(queueOf(await queues().pause(q, 'why'))).toMatchObject({ paused: true, pauseReason: 'why' });
      const counts: number[] = [];
      for (const laneId of lanes) counts.push((await claimMany(context, laneId, sessionId, 1)).length);
      expect(counts).toEqual([0, 0, 1, 1]);
      const resumed = await queues().resume(q);
      expect(resumed).toMatchObject({ queue: { paused: false, pauseReason: '' }, reopened: lanes.slice(0, 2) });
      expect(await context.store.readHeadsOf(lanes)).toHaveLength(2);
      expect(await claimMany(context, lanes[0] as number, sessionId, 1)).toHaveLength(1);
    });

    it('can be paused and resumed twice; a new reason counts, an empty one keeps the old one', async () => {
      await create('q');
      await queues().pause(q, 'first');
      const again = queueOf(await queues().pause(q, ''));
      expect(again).toMatchObject({ paused: true, pauseReason: 'first' });
      expect(queueOf(await queues().pause(q, 'first')).etag).toBe(again.etag);
      expect(queueOf(await queues().pause(q, 'second'))).toMatchObject({ pauseReason: 'second' });
      const resumed = queueOf(await queues().resume(q));
      expect(queueOf(await queues().resume(q))).toEqual(resumed);
    });

    it('explain why their ready jobs wait', async () => {
      const laneId = await makeLane(context, { queue: 'q' });
      const [jobId = '', held = ''] = await submitMany(context, laneId, 2);
      const { sessionId } = await openWorker(context);
      await claimMany(context, laneId, sessionId, 1);
      await queues().pause(q, 'moving the database');
      const [waiting, running] = await Promise.all([held, jobId].map((id) => context.store.readJob('default', id)));
      expect([waiting?.reason, running?.reason]).toEqual(['queue q is paused: moving the database', '']);
      const query = { namespace: 'default', beforeJobId: undefined, limit: 9, scanLimit: 9 };
      const filter = { states: ['READY' as const], labels: {}, failureTypes: [] };
      expect((await context.store.listJobs({ ...query, filter })).jobs[0]?.reason).toBe(waiting?.reason);
      await queues().resume(q);
      expect((await context.store.readJob('default', held))?.reason).toBe('');
    });

    it('are deleted if they have no open jobs, and not twice', async () => {
      const laneId = await makeLane(context, { queue: 'q' });
      const [jobId = ''] = await submitMany(context, laneId, 1);
      await queues().pause(q, '');
      expect(await queues().delete(q)).toEqual({ kind: 'notEmpty', openJobs: 1 });
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, (run, nowUs) =>
        decideCancel(run, '', 1, { nowUs, random: 0 }),
      );
      expect(await queues().delete(q)).toEqual({ kind: 'deleted' });
      expect(await queues().delete(q)).toEqual({ kind: 'missing' });
      expect(await queues().read(q)).toBeUndefined();
      expect(await queues().pause(q, '')).toEqual({ kind: 'missing' });
      expect((await queues().list('default', '', 9)).queues).toEqual([]);
      await create('by-hand');
      expect(await queues().delete({ ...q, name: 'by-hand' })).toEqual({ kind: 'deleted' });
      expect(only(await sql(context, 'SELECT name, paused FROM queues'))).toEqual({ name: 'q', paused: false });
    });

    it('are created again by the next job, not paused, also if it has ended by then', async () => {
      const laneId = await makeLane(context, { queue: 'q' });
      const first = queueOf(await queues().update(q, { settings: { description: 'old' }, etag: '' }));
      await queues().pause(q, '');
      await queues().delete(q);
      await submitMany(context, laneId, 1);
      const anew = await queues().read(q);
      expect(anew).toMatchObject({ description: '', paused: false, counts: { READY: 1 } });
      expect(anew?.etag).not.toBe(first.etag);
      const { sessionId } = await openWorker(context);
      const job = only(await claimMany(context, laneId, sessionId, 1));
      await context.store.complete([completionOf(job)]);
      expect(await queues().delete(q)).toEqual({ kind: 'deleted' });
      // The order of deletion and job is decided by the job's id, which has whole milliseconds.
      const deleted = Date.now();
      await eventually('the clock has moved on', () => Date.now() > deleted + 1);
      await submitMany(context, laneId, 1);
      await context.store.complete([completionOf(only(await claimMany(context, laneId, sessionId, 1)))]);
      expect((await queues().list('default', '', 9)).queues).toMatchObject([{ name: 'q', counts: {} }]);
    });

    it('are created again by a call and by a new lane', async () => {
      await makeLane(context, { queue: 'q' });
      await queues().delete(q);
      expect(queueOf(await create('q', 'anew'))).toMatchObject({ description: 'anew' });
      await queues().delete(q);
      await makeLane(context, { queue: 'q' });
      expect(await queues().read(q)).toMatchObject({ description: '' });
    });

    it('are created once by several concurrent callers', async () => {
      const changes = await Promise.all([1, 2, 3, 4].map(() => create('q')));
      expect(changes.filter((change) => change.kind === 'done')).toHaveLength(1);
    });
  });
}
