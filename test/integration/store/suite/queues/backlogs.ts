/** Backlog bounds of queues, and the backlog that the store counts for them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { rankOf } from '../../../../../server/domain/dispatch/rank.ts';
import type { Queue, QueueChange, QueueName } from '../../../../../server/engine/ports/queues.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { claimMany, makeLane, newJobId, openWorker, submitMany } from '../../../../support/store/store-fixtures.ts';

const q: QueueName = { namespace: 'default', name: 'q' };
const first: QueueName = { namespace: '', name: '' };
const HOUR_MS = 3_600_000;

function queueOf(change: QueueChange): Queue {
  if (change.kind !== 'done') throw new Error(`${change.kind} was not expected`);
  return change.queue;
}

export function backlogsSuite(context: StoreContext): void {
  const queues = () => context.store.queues;

  /** A job of the lane that became ready that long ago. */
  async function readySince(laneId: number, ms: number, priority = 0): Promise<number> {
    const readyUs = (await context.store.nowUs()) - ms * 1_000;
    const jobId = newJobId(Math.floor(readyUs / 1_000));
    await submitMany(context, laneId, 1, { jobId, priority, rank: rankOf(readyUs, priority) });
    await sql(context, `UPDATE jobs SET create_time = to_timestamp(${readyUs / 1e6}) WHERE job_id = '${jobId}'`);
    return readyUs;
  }

  describe('backlog bounds of queues', () => {
    beforeEach(() => emptyTables(context));

    it('are set when a queue is created or changed, each by itself, and are deleted with it', async () => {
      const bounds = { maxBacklog: 1_000_000_000, maxBacklogAgeMs: 30 * 24 * HOUR_MS };
      const made = queueOf(await queues().create(q, { description: 'd', ...bounds }));
      expect(made).toMatchObject(bounds);
      expect(await queues().read(q)).toEqual(made);
      const changed = queueOf(await queues().update(q, { settings: { maxBacklog: 7 }, etag: made.etag }));
      expect(changed).toMatchObject({ maxBacklog: 7, maxBacklogAgeMs: bounds.maxBacklogAgeMs, description: 'd' });
      expect(changed.etag).not.toBe(made.etag);
      const same = queueOf(await queues().update(q, { settings: { maxBacklog: 7 }, etag: changed.etag }));
      expect(same.etag).toBe(changed.etag);
      const cleared = queueOf(await queues().update(q, { settings: { maxBacklogAgeMs: null }, etag: '' }));
      expect(cleared).toMatchObject({ maxBacklog: 7, maxBacklogAgeMs: null });
      await makeLane(context, { queue: 'q' });
      expect(await queues().delete(q)).toEqual({ kind: 'deleted' });
      const anew = queueOf(await queues().create(q, {}));
      expect(anew).toMatchObject({ maxBacklog: 0, maxBacklogAgeMs: null });
    });

    it('are listed by name, without queues that have none or are deleted', async () => {
      for (const [name, bounds] of [
        ['c', { maxBacklog: 1 }],
        ['a', { maxBacklogAgeMs: 1_000 }],
        ['b', {}],
        ['d', { maxBacklog: 2 }],
      ] as const)
        await queues().create({ namespace: 'default', name }, bounds);
      await makeLane(context, { queue: 'd' });
      await queues().delete({ namespace: 'default', name: 'd' });
      expect(await queues().readBounded(first, 9)).toEqual([
        { namespace: 'default', name: 'a', maxBacklog: 0, maxBacklogAgeMs: 1_000 },
        { namespace: 'default', name: 'c', maxBacklog: 1, maxBacklogAgeMs: null },
      ]);
      const [only, ...others] = await queues().readBounded(first, 1);
      expect(others).toEqual([]);
      expect((await queues().readBounded(only ?? first, 9)).map(({ name }) => name)).toEqual(['c']);
    });

    it('can not be set to a value that the contract does not allow, by any statement', async () => {
      await queues().create(q, {});
      for (const change of ['max_backlog = -1', 'max_backlog = 1000000001', 'max_backlog_age_ms = 999'])
        await expect(sql(context, `UPDATE queues SET ${change}`)).rejects.toThrow(/check/);
    });
  });

  describe('the backlog', () => {
    beforeEach(() => emptyTables(context));

    it('counts the ready jobs in all lanes of the queue and in no other, folded or not', async () => {
      expect(await queues().readBacklog(q, true)).toEqual({ waiting: 0, oldestUs: undefined });
      const [a, b] = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q', suspect: true })];
      await submitMany(context, a, 4);
      await submitMany(context, b, 2);
      await submitMany(context, await makeLane(context, { queue: 'r' }), 5);
      await submitMany(context, await makeLane(context, { queue: 'q', namespace: 'other' }), 5);
      const later = (await context.store.nowUs()) + 60e6;
      await submitMany(context, a, 3, { state: 'SCHEDULED', runTimeUs: later });
      expect((await queues().readBacklog(q, false)).waiting).toBe(6);
      while (await queues().foldCounts());
      const { sessionId } = await openWorker(context);
      await claimMany(context, a, sessionId, 3);
      expect(await queues().readBacklog(q, false)).toEqual({ waiting: 3, oldestUs: undefined });
    });

    it('has on request the age of the oldest among the next jobs of each lane', async () => {
      const [a, b] = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q', suspect: true })];
      await readySince(a, HOUR_MS);
      const oldest = await readySince(b, 2 * HOUR_MS, 50);
      await readySince(b, 1_000);
      await readySince(await makeLane(context, { queue: 'r' }), 9 * HOUR_MS);
      const { waiting, oldestUs } = await queues().readBacklog(q, true);
      expect(waiting).toBe(3);
      expect(Math.abs((oldestUs ?? 0) - oldest)).toBeLessThan(2_000);
      expect((await queues().readBacklog(q, false)).oldestUs).toBeUndefined();
    });

    it('look-up finds the idempotency keys that belong to a job', async () => {
      expect([...(await context.store.readKeyOwners('default', ['k'])).keys()]).toEqual([]);
      await sql(
        context,
        `INSERT INTO idempotency_keys (namespace, idempotency_key, job_id, content_hash, create_time)
         VALUES ('default', 'k', gen_random_uuid(), '\\x00', muster_now()), ('other', 'l', gen_random_uuid(), '\\x00', muster_now())`,
      );
      expect([...(await context.store.readKeyOwners('default', ['j', 'k', 'l'])).keys()]).toEqual(['k']);
    });
  });
}
