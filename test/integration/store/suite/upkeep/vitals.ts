/** Monitoring reads the true state of the whole deployment. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedJob } from '../../../../../server/engine/ports/dispatch.ts';
import { eventually } from '../../../../support/base/eventually.ts';
import { createVitals } from '../../../../support/store/create-store.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import { claimLimited, limitedLanes } from '../../../../support/store/store-limits.ts';

const DEAF_AFTER = 3;

export function vitalsSuite(context: StoreContext): void {
  const vitals = () => createVitals(context.database);

  describe('vitals', () => {
    beforeEach(() => emptyTables(context));

    it('count the open jobs of each queue by state, largest queues first', async () => {
      const mails = await makeLane(context, { queue: 'mails' });
      const more = await makeLane(context, { queue: 'mails', definitionVersion: 2 });
      const images = await makeLane(context, { queue: 'images', namespace: 'shop' });
      await submitMany(context, mails, 3);
      await submitMany(context, more, 2);
      await submitMany(context, images, 1);
      await context.store.submit([makeCall([makeJob(images, { state: 'SCHEDULED', runTimeUs: 4e15 })])]);
      await context.store.queues.foldCounts();
      const { sessionId } = await openWorker(context);
      await claimMany(context, mails, sessionId, 1);
      await context.store.queues.pause({ namespace: 'shop', name: 'images' }, 'for a while');
      const none = { BLOCKED: 0, SCHEDULED: 0, READY: 0, PAUSED: 0, ASSIGNED: 0, WAITING: 0 };
      const [first, second] = [
        { namespace: 'default', name: 'mails', paused: false, counts: { ...none, READY: 4, ASSIGNED: 1 } },
        { namespace: 'shop', name: 'images', paused: true, counts: { ...none, READY: 1, SCHEDULED: 1 } },
      ];
      expect(await vitals().readQueues(10)).toEqual({ queues: [first, second], others: undefined });
      expect(await vitals().readQueues(1)).toEqual({ queues: [first], others: second?.counts });
    });

    it('contain a queue without jobs, and no queue if there is none', async () => {
      expect(await vitals().readQueues(10)).toEqual({ queues: [], others: undefined });
      await context.store.queues.create({ namespace: 'default', name: 'empty' }, {});
      expect((await vitals().readQueues(10)).queues).toMatchObject([{ name: 'empty', counts: { READY: 0 } }]);
    });

    it('show since when the next job of each lane has been ready, whatever its priority', async () => {
      const laneId = await makeLane(context, { queue: 'mails' });
      const nowUs = await context.store.nowUs();
      const agoUs = nowUs - 90_000_000;
      const raised = makeJob(laneId, { priority: 5, rank: agoUs - 5_000_000 });
      await context.store.submit([makeCall([raised, makeJob(laneId, { rank: nowUs })])]);
      await sql(context, `UPDATE jobs SET create_time = create_time - interval '1 hour'`);
      expect(await vitals().readLineHeads(10)).toEqual([{ namespace: 'default', name: 'mails', readyUs: agoUs }]);
      expect(await vitals().readLineHeads(0)).toEqual([]);
    });

    it('never show a job ready for longer than it has existed', async () => {
      const laneId = await makeLane(context, { queue: 'mails' });
      await context.store.submit([makeCall([makeJob(laneId, { rank: 1 })])]);
      const [head] = await vitals().readLineHeads(10);
      const [row] = await sql(context, 'SELECT create_time FROM jobs');
      expect(head?.readyUs).toBe(row?.create_time);
    });

    it('show what each concurrency limit counts and what is held, and where they differ', async () => {
      expect(await vitals().readLimits()).toEqual([]);
      await context.store.queues.create({ namespace: 'default', name: 'mails' }, { maxConcurrency: 5 });
      const { laneId, definition } = await limitedLanes(context, { maxConcurrency: 3 }, 'mails');
      await limitedLanes(context, { keyLimit: { key: '', maxConcurrency: 1, policy: 'WAIT' } });
      const free = await makeLane(context, { queue: 'mails' });
      for (const lane of [laneId, free]) await submitMany(context, lane, 4);
      const { sessionId } = await openWorker(context);
      const { jobs } = await claimLimited(context, laneId, sessionId, 4);
      await claimLimited(context, free, sessionId, 1);
      const of = (kind: string, name: string, maxConcurrency: number, inUse: number, holders = inUse) => {
        return { kind, namespace: 'default', name, maxConcurrency, inUse, holders };
      };
      const both = [of('queue', 'mails', 5, 4), of('definition', definition, 3, 3)];
      expect(await vitals().readLimits()).toEqual(both);
      await context.store.queues.foldCounts();
      expect(await vitals().readLimits()).toEqual(both);
      await context.store.complete([completionOf(keyOf(jobs[0] as ClaimedJob))]);
      expect(await vitals().readLimits()).toEqual([of('queue', 'mails', 5, 3), of('definition', definition, 3, 2)]);
      await sql(context, `INSERT INTO lane_count_changes (lane_id, state, jobs) VALUES (${laneId}, 5, 1)`);
      expect(await vitals().readLimits()).toEqual([
        of('queue', 'mails', 5, 4, 3),
        of('definition', definition, 3, 3, 2),
      ]);
    });

    it('exclude clean-ups from the use of limits', async () => {
      await context.store.queues.create({ namespace: 'default', name: 'mails' }, { maxConcurrency: 5 });
      const lane = await makeLane(context, { queue: 'mails', cleanup: true });
      await submitMany(context, lane, 2);
      await claimMany(context, lane, (await openWorker(context)).sessionId, 2);
      expect(await vitals().readLimits()).toMatchObject([{ name: 'mails', inUse: 0, holders: 0 }]);
    });

    it('count each open session once, under its problem', async () => {
      const open = async (what: string) => {
        const { sessionId } = await openWorker(context);
        await sql(context, `UPDATE sessions SET ${what} WHERE session_id = '${sessionId}'`);
      };
      await open('beats = 2, ping_echo = 2, slots = 7');
      await open('beats = 9, ping_echo = 6, draining = true, slots = 5');
      await open('draining = true, slots = 3');
      await open("lease_until = beat_time - interval '1 s', beats = 9, slots = 100");
      await open('state = 2, close_cause = 2, slots = 100');
      expect(await vitals().readSessions(DEAF_AFTER)).toEqual({
        connected: 1,
        deaf: 1,
        draining: 1,
        lapsed: 1,
        slots: 15,
      });
    });

    it('name the tables that change most, and no snapshot if none is open', async () => {
      const { tables } = await eventually('no transaction is open', async () => {
        const read = await vitals().readDatabase();
        return read.oldestSnapshotMs === 0 && read;
      });
      expect(tables.map(({ table }) => table)).toEqual([
        'job_checkpoints',
        'job_runs',
        'lane_count_changes',
        'lane_counts',
        'sessions',
      ]);
    });

    it.skipIf(context.kind === 'PGlite')('show the age of the oldest transaction of another connection', async () => {
      let reported = 0;
      await context.database.transaction(async (session) => {
        await session.run({ name: '', text: 'SELECT txid_current()' }, []);
        reported = await eventually(
          'it is seen',
          async () => (await vitals().readDatabase()).oldestSnapshotMs || undefined,
        );
      });
      expect(reported).toBeGreaterThan(0);
    });
  });
}
