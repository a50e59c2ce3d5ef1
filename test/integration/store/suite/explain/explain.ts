/** The data of explanations: the queue position against a model that reads every job, recent starts, and blockers. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewJob } from '../../../../../server/engine/ports/submissions.ts';
import { plantBugs } from '../../../../support/databases/database-taps.ts';
import { coreOf } from '../../../../support/run/cases.ts';
import { createStore } from '../../../../support/store/create-store.ts';
import { moveClock, stopClock } from '../../../../support/store/store-clock.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { claimDemanding, demandingLane } from '../../../../support/store/store-demands.ts';
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

const queue = { namespace: 'default', name: 'line' };
const keys = [undefined, randomUUID(), randomUUID()];
const lanes = 3;

/** Jobs with few distinct ranks, so that many are equal. */
const job = fc.record({
  lane: fc.nat(lanes - 1),
  rank: fc.integer({ min: 1, max: 4 }),
  key: fc.nat(keys.length - 1),
  isDeferred: fc.boolean(),
  isReady: fc.boolean(),
});
const lines = fc.record({
  jobs: fc.array(job, { minLength: 1, maxLength: 30 }),
  asked: fc.subarray([...Array(lanes).keys()]),
  ofKey: fc.boolean(),
  most: fc.constantFrom(1, 3, 1_000),
});

export function explainSuite(context: StoreContext): void {
  const explain = () => context.store.explain;

  /** The number of jobs before each, by comparing all with all. */
  function modelOf(
    all: readonly NewJob[],
    laneIds: readonly number[],
    ofKey: boolean,
    own: NewJob,
  ): number | undefined {
    if (own.state !== 'READY') return undefined;
    const isBefore = (one: NewJob) => one.rank < own.rank || (one.rank === own.rank && one.jobId < own.jobId);
    const counts = (one: NewJob) =>
      laneIds.includes(one.laneId) ||
      (ofKey && own.limitId !== undefined && one.limitId === own.limitId && one.limitMark !== undefined);
    return all.filter((one) => one.state === 'READY' && isBefore(one) && counts(one)).length;
  }

  async function disagreement(store = context.store, numRuns = 25): Promise<string | undefined> {
    const laneIds = await Promise.all(Array.from({ length: lanes }, () => makeLane(context, { queue: 'line' })));
    const property = fc.asyncProperty(lines, async ({ jobs, asked, ofKey, most }) => {
      await sql(context, 'TRUNCATE jobs, job_runs, lane_counts, lane_count_changes, outbox');
      const all = jobs.map(({ lane, rank, key, isDeferred, isReady }) => {
        const state = isReady ? { state: 'READY' as const } : { state: 'SCHEDULED' as const, runTimeUs: 4e15 };
        const limitId = keys[key];
        const limitMark = limitId && isDeferred ? 'DEFERRED' : undefined;
        return makeJob(laneIds[lane] as number, { rank, limitId, limitMark, ...state });
      });
      await context.store.submit([makeCall(all)]);
      const chosen = asked.map((lane) => laneIds[lane] as number);
      for (const own of all) {
        const query = { jobId: own.jobId, laneIds: chosen, ofKey };
        const expected = modelOf(all, chosen, ofKey, own);
        const found = await store.explain.countBefore(query, most);
        expect(found).toBe(expected && Math.min(most, expected));
        const first = await store.explain.readFirst(query);
        expect(first.length).toBe(Math.min(10, expected ?? 0));
      }
    });
    const result = await fc.check(property, { numRuns, endOnFailure: true });
    return result.failed ? fc.defaultReportMessage(result) : undefined;
  }

  describe('the queue position', () => {
    beforeEach(() => emptyTables(context));

    it('equals a count of all jobs, whatever their lanes, ranks, keys and states', async () => {
      expect(await disagreement()).toBeUndefined();
    });

    const mutations = [
      ['< (own.rank, own.job_id)', '<= (own.rank, own.job_id)'],
      ['r.lane_id <> ALL($2::int[])', 'true'],
      ['r.rank <= own.rank', 'r.rank < own.rank'],
    ] as const;

    it.each(coreOf(mutations, 1))('would not be right with %s as %s', async (from, to) => {
      const planted = plantBugs(context.database, [{ of: 'count_before_in_line', from, to }]);
      expect(await disagreement(createStore(planted), 500)).toBeDefined();
    });

    it('comes with the first jobs of the queue in their order and their creation times', async () => {
      const laneId = await makeLane(context, { queue: 'line' });
      const ids = await submitMany(context, laneId, 15);
      const query = { jobId: ids[12] as string, laneIds: [laneId], ofKey: false };
      const first = await explain().readFirst(query);
      expect(first.map(({ jobId }) => jobId)).toEqual(ids.slice(0, 10));
      expect(first[0]?.sinceUs).toBeGreaterThan(0);
    });

    it('is undefined for a job that does not wait for a worker', async () => {
      expect(await explain().countBefore({ jobId: randomUUID(), laneIds: [], ofKey: false }, 10)).toBeUndefined();
    });
  });

  describe('recent starts of a lane', () => {
    beforeEach(() => emptyTables(context));
    afterEach(() => moveClock(context, 0));

    const startsOf = async (laneId: number) => {
      const { lanes: found } = await explain().readQueueLanes(queue, laneId, 10);
      return found.find((lane) => lane.laneId === laneId)?.starts;
    };

    it('are counted by the minute, once each, folded or not, whatever ends meanwhile', async () => {
      // Stops the clock, so that no minute begins by itself.
      await stopClock(context, `${new Date().toISOString().slice(0, 16)}:30Z`);
      const laneId = await makeLane(context, { queue: 'line' });
      await submitMany(context, laneId, 10);
      const { sessionId } = await openWorker(context);
      expect(await startsOf(laneId)).toBe(0);
      const some = await claimMany(context, laneId, sessionId, 4);
      expect(await startsOf(laneId)).toBe(4);
      await context.store.complete(some.map((one) => completionOf(keyOf(one))));
      expect(await startsOf(laneId)).toBe(4);
      await context.store.queues.foldCounts();
      expect(await startsOf(laneId)).toBe(4);
      await sql(context, 'UPDATE lane_counts SET minute = minute - 1');
      await claimMany(context, laneId, sessionId, 3);
      await context.store.queues.foldCounts();
      expect(await startsOf(laneId)).toBe(7);
      await sql(context, 'UPDATE lane_counts SET minute = minute - 1');
      expect(await startsOf(laneId)).toBe(3);
      await sql(context, 'UPDATE lane_counts SET minute = minute - 1');
      expect(await startsOf(laneId)).toBe(0);
    });

    it('cover a window of one to two minutes', async () => {
      const laneId = await makeLane(context, { queue: 'line' });
      const { windowUs } = await explain().readQueueLanes(queue, laneId, 10);
      expect(windowUs).toBeGreaterThanOrEqual(60_000_000);
      expect(windowUs).toBeLessThan(120_000_000);
    });
  });

  describe('the lanes of a queue', () => {
    beforeEach(() => emptyTables(context));

    it('are those with ready jobs, the longest first, and the job’s own lane in any case', async () => {
      const [own, few, most, idle, other] = (await Promise.all([
        ...['line', 'line', 'line', 'line'].map((name) => makeLane(context, { queue: name })),
        makeLane(context, { queue: 'other' }),
      ])) as [number, number, number, number, number];
      await submitMany(context, few, 1);
      await submitMany(context, most, 3);
      await submitMany(context, other, 3);
      const found = await explain().readQueueLanes(queue, own, 10);
      expect(found.lanes.map(({ laneId }) => laneId)).toEqual([own, most, few]);
      expect([found.isCut, found.lanes.some(({ laneId }) => laneId === idle)]).toEqual([false, false]);
      const cut = await explain().readQueueLanes(queue, own, 2);
      expect([cut.isCut, cut.lanes.length]).toEqual([true, 2]);
    });
  });

  describe('suspects', () => {
    it('are listed for each session that holds one, without the explained job', async () => {
      const laneId = await makeLane(context, { queue: 'line' });
      await submitMany(context, laneId, 3);
      const { sessionId } = await openWorker(context, { workerName: 'crashes' });
      const [one, two] = await claimMany(context, laneId, sessionId, 3);
      await sql(context, `UPDATE job_runs SET consecutive_losses = 2 WHERE job_id = '${one?.jobId}'`);
      const found = await explain().readSuspects([sessionId, randomUUID()], two?.jobId ?? '');
      expect(found).toMatchObject({ count: 1, list: [{ jobId: one?.jobId, sessionId, workerName: 'crashes' }] });
      expect(await explain().readSuspects([sessionId], one?.jobId ?? '')).toEqual({ count: 0, list: [] });
    });
  });

  describe('the capacity in use', () => {
    beforeEach(() => emptyTables(context));

    it('is read for each session, with the sessions that are reserved for another lane', async () => {
      const [small, big] = [await demandingLane(context, { gpu: 1 }), await demandingLane(context, { gpu: 2 })];
      const { sessionId } = await openWorker(context, { resources: { gpu: 2 } });
      await submitMany(context, small, 1);
      await claimDemanding(context, small, [sessionId], 1);
      await submitMany(context, big, 1);
      await claimDemanding(context, big, [sessionId], 1);
      const taken = new Map([[sessionId, [{ resources: { gpu: 1 }, jobs: 1 }]]]);
      expect(await explain().readCapacityInUse(small, [sessionId])).toEqual({ taken, reserved: new Set() });
      await sql(context, "UPDATE reservations SET since_time = since_time - interval '1 minute'");
      await claimDemanding(context, big, [sessionId], 1);
      expect(await explain().readCapacityInUse(small, [sessionId])).toEqual({ taken, reserved: new Set([sessionId]) });
      expect(await explain().readCapacityInUse(big, [sessionId])).toEqual({ taken, reserved: new Set() });
    });
  });

  describe('lanes with waiting jobs', () => {
    beforeEach(() => emptyTables(context));

    it('show the gate that stops all of their ready jobs', async () => {
      const [paused, free] = [await makeLane(context, { queue: 'line' }), await makeLane(context, { queue: 'free' })];
      await submitMany(context, paused, 2);
      await submitMany(context, free, 1);
      await context.store.submit([makeCall([makeJob(free, { state: 'SCHEDULED', runTimeUs: 4e15 })])]);
      await context.store.queues.pause(queue, '');
      const found = await explain().readWaitingLanes(10);
      expect(found.sort((a, b) => a.laneId - b.laneId)).toEqual([
        { laneId: paused, ready: 2, scheduled: 0, paused: 0, blocked: 0, gate: 'queue_paused', limited: false },
        { laneId: free, ready: 1, scheduled: 1, paused: 0, blocked: 0, gate: undefined, limited: false },
      ]);
      expect(await explain().readWaitingLanes(1)).toHaveLength(1);
    });
  });
}
