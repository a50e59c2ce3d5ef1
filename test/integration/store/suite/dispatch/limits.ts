/** Limits: never exceeded by any number of concurrent claims; jobs without capacity are deferred and return. */
import { beforeEach, describe, expect, it } from 'vitest';
import { decideRelease, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimOf,
  completionOf,
  jobsOf,
  makeLane,
  newJobId,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import { applyLimits, atLimitOf, claimLimited, limitedLanes } from '../../../../support/store/store-limits.ts';

const q = { namespace: 'default', name: 'q' };
const keyA = 'aaaaaaaa-0000-8000-8000-000000000000';
const keyB = 'bbbbbbbb-0000-8000-8000-000000000000';

export function limitsSuite(context: StoreContext): void {
  const setQueue = (maxConcurrency: number | undefined) =>
    context.store.queues.update(q, { settings: { maxConcurrency }, etag: '' });
  const held = async () =>
    (await sql(context, 'SELECT count(*)::int AS n FROM job_runs WHERE state IN (5, 6, 8)'))[0]?.n;
  const laneOf = async (jobId: string) => (await readRow(context, 'job_runs', jobId))?.lane_id;

  describe('the open jobs of a key', () => {
    beforeEach(() => emptyTables(context));

    it('are all counted, and the oldest are read, and the oldest that wait, however many are open', async () => {
      const lane = await makeLane(context);
      const jobIds = await submitMany(context, lane, 4_102, { limitId: keyA, limitMark: 'COUNTED' });
      const { sessionId } = await openWorker(context);
      const cancelled = jobIds.slice(0, 1);
      const running = jobIds.slice(1, 2_101);
      for (const [ids, state] of [
        [cancelled, 8],
        [running, 6],
      ] as const)
        await sql(
          context,
          `UPDATE job_runs SET state = ${state}, session_id = '${sessionId}', credit_id = 1, assign_time = now() WHERE job_id = ANY('{${ids}}'::uuid[])`,
        );
      const open = (await context.store.readOpenOfLimits([keyA, keyB])).get(keyA);
      expect(open).toMatchObject({ openCount: 4_102, liveCount: 4_101 });
      const read = open?.jobs.map(({ jobId }) => jobId).toSorted();
      expect(read).toEqual([...running.slice(0, 2_000), ...jobIds.slice(2_101, 4_101)].toSorted());
    });
  });

  describe('a concurrency limit', () => {
    beforeEach(() => emptyTables(context));

    it('of a queue is shared by all of its lanes, and a job that ends frees capacity', async () => {
      const [a, b] = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q' })];
      await setQueue(3);
      await submitMany(context, a, 2);
      await submitMany(context, b, 5);
      const { sessionId } = await openWorker(context);
      const first = await claimLimited(context, a, sessionId, 10);
      expect(first.jobs).toHaveLength(2);
      expect(first.seen).toMatchObject({ exhausted: false, dry: true, openTimeUs: undefined });
      const second = await claimLimited(context, b, sessionId, 10);
      expect(second.jobs).toHaveLength(1);
      expect(second.seen).toMatchObject({ exhausted: true, dry: false });
      expect((await claimLimited(context, b, sessionId, 10)).jobs).toEqual([]);
      while (await context.store.queues.foldCounts());
      expect((await claimLimited(context, b, sessionId, 10)).jobs).toEqual([]);
      await context.store.complete(first.jobs.map((job) => completionOf(job)));
      expect((await claimLimited(context, b, sessionId, 10)).jobs).toHaveLength(2);
    });

    it('is not exceeded by many concurrent claims, in any lane', async () => {
      const lanes = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q' })];
      await setQueue(7);
      for (const lane of lanes) await submitMany(context, lane, 40);
      const { sessionId } = await openWorker(context);
      const claims = Array.from({ length: 12 }, (_, i) => claimLimited(context, lanes[i % 2] as number, sessionId, 5));
      const jobs = (await Promise.all(claims)).flatMap((claim) => claim.jobs);
      expect(jobs).toHaveLength(7);
      expect(await held()).toBe(7);
    });

    it('gets its permits back from any end of the lease: a release, a lost session', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      await setQueue(2);
      await submitMany(context, lane, 4);
      const { sessionId } = await openWorker(context);
      const [released, lost] = (await claimLimited(context, lane, sessionId, 4)).jobs;
      await context.store.change({ by: 'attempts', attempts: [released as never] }, (run, nowUs) =>
        decideRelease(run, 'NO_SLOT', { nowUs, random: 0 }),
      );
      expect((await claimLimited(context, lane, sessionId, 4)).jobs).toHaveLength(1);
      await context.store.closeSessions([sessionId], 'CLOSE');
      await context.store.change({ by: 'session', sessionId, limit: 10 }, (run, nowUs) =>
        decideSessionEnd(run, 'CLOSE', { nowUs, random: 0 }),
      );
      expect(lost).toBeDefined();
      expect(await held()).toBe(0);
      const { sessionId: next } = await openWorker(context);
      expect((await claimLimited(context, lane, next, 4)).jobs).toHaveLength(2);
    });

    it('stops every claim that does not check it, from when it is set until it is removed', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      await submitMany(context, lane, 4);
      const { sessionId } = await openWorker(context);
      expect(await jobsOf(context.store.claim(claimOf([lane], sessionId, 1)))).toHaveLength(1);
      await setQueue(1);
      expect(await jobsOf(context.store.claim(claimOf([lane], sessionId, 1)))).toEqual([]);
      expect(await context.store.readLanes([lane])).toMatchObject([{ limited: true }]);
      expect((await context.store.readHeads(0)).heads).toMatchObject([{ laneId: lane, limited: true }]);
      const late = await makeLane(context, { queue: 'q' });
      expect(await context.store.readLanes([late])).toMatchObject([{ limited: true }]);
      expect((await claimLimited(context, lane, sessionId, 1)).jobs).toEqual([]);
      await setQueue(undefined);
      expect(await jobsOf(context.store.claim(claimOf([lane], sessionId, 1)))).toHaveLength(1);
    });

    it('of a definition is that of its newest version, for the jobs of all versions', async () => {
      const { definition, laneId } = await limitedLanes(context, { maxConcurrency: 1 });
      const other = await makeLane(context, { definition, definitionVersion: 2 });
      await submitMany(context, laneId, 2);
      await submitMany(context, other, 2);
      const { sessionId } = await openWorker(context);
      expect((await claimLimited(context, laneId, sessionId, 9)).jobs).toHaveLength(1);
      expect((await claimLimited(context, other, sessionId, 9)).jobs).toEqual([]);
      await applyLimits(context, definition, { maxConcurrency: 3 });
      expect((await claimLimited(context, other, sessionId, 9)).jobs).toHaveLength(2);
      await applyLimits(context, definition, {});
      expect(await context.store.readLanes([laneId, other])).toMatchObject([{ limited: false }, { limited: false }]);
    });

    it('gives nothing to a session that has closed, and makes the caller not ask again', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      await setQueue(5);
      await submitMany(context, lane, 2);
      const { sessionId } = await openWorker(context);
      await context.store.closeSessions([sessionId], 'CLOSE');
      const { jobs, seen } = await claimLimited(context, lane, sessionId, 2);
      expect(jobs).toEqual([]);
      expect(seen).toMatchObject({ exhausted: false, dry: true });
    });

    it('neither stops nor counts clean-ups', async () => {
      const [lane, cleanup] = [
        await makeLane(context, { queue: 'q' }),
        await makeLane(context, { queue: 'q', cleanup: true }),
      ];
      await setQueue(1);
      await submitMany(context, lane, 2);
      await submitMany(context, cleanup, 2);
      const { sessionId } = await openWorker(context);
      expect(await jobsOf(context.store.claim(claimOf([cleanup], sessionId, 9)))).toHaveLength(2);
      expect((await claimLimited(context, lane, sessionId, 9)).jobs).toHaveLength(1);
    });

    it('is reported, like that of a key, as the reason why a job waits', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      await setQueue(1);
      const ids = await submitMany(context, lane, 2);
      const { sessionId } = await openWorker(context);
      const reasonOf = async (jobId = '') => (await context.store.readJob('default', jobId))?.reason;
      expect(await reasonOf(ids[0])).toBe('');
      await claimLimited(context, lane, sessionId, 2);
      expect(await reasonOf(ids[1])).toBe('queue q is at its limit: workers hold 1 of its jobs, and may hold 1');
      const keyLimit = { key: 'k', maxConcurrency: 1, policy: 'WAIT' } as const;
      const { laneId, definition } = await limitedLanes(context, { keyLimit });
      const keyed = await submitMany(context, laneId, 2, { limitId: keyA, limitKey: 'a' });
      await claimLimited(context, laneId, sessionId, 2);
      expect(await reasonOf(keyed[1])).toBe(`its key is at the limit of definition ${definition}: 1 at once`);
    });

    it('keeps the order and the byte bound of a claim', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      await setQueue(100);
      const ids = await submitMany(context, lane, 6);
      const { sessionId } = await openWorker(context);
      const { jobs } = await claimLimited(context, lane, sessionId, 4);
      expect(jobs.map((job) => job.jobId)).toEqual(ids.slice(0, 4));
      expect(jobs[0]).toMatchObject({ attempt: 1, attemptCount: 0, sessionId, laneId: lane });
      expect(Buffer.from(jobs[0]?.input.data ?? []).toString()).toBe('input');
    });
  });

  describe('a key limit', () => {
    beforeEach(() => emptyTables(context));

    const limits = { keyLimit: { key: 'input.tenant', maxConcurrency: 2, policy: 'WAIT' } } as const;

    it('defers jobs without capacity, and lets the others pass', async () => {
      const { laneId, atLimitLaneId } = await limitedLanes(context, limits);
      const a = await submitMany(context, laneId, 5, { limitId: keyA, limitKey: 'a' });
      const b = await submitMany(context, laneId, 1, { limitId: keyB, limitKey: 'b', rank: 2_000_000 });
      const free = await submitMany(context, laneId, 1, { rank: 3_000_000 });
      const { sessionId } = await openWorker(context);
      const { jobs, seen } = await claimLimited(context, laneId, sessionId, 10);
      expect(jobs.map((job) => job.jobId)).toEqual([...a.slice(0, 2), ...b, ...free]);
      expect(seen).toMatchObject({ deferred: [keyA], dry: true, exhausted: false });
      for (const jobId of a.slice(2)) expect(await laneOf(jobId)).toBe(atLimitLaneId);
      expect((await context.store.readHeads(0)).heads).toEqual([]);
      expect(await context.store.requeueDeferred([keyA, keyB])).toEqual({ deferred: [keyA], lanes: [], later: [] });
      await context.store.complete(jobs.slice(0, 1).map((job) => completionOf(job)));
      expect(await context.store.requeueDeferred([keyA, keyB])).toEqual({
        deferred: [keyA],
        lanes: [{ laneId, rank: 1_000_002, jobs: 1 }],
        later: [],
      });
      expect((await claimLimited(context, laneId, sessionId, 10)).jobs.map((job) => job.jobId)).toEqual([a[2]]);
    });

    it('is not exceeded by many concurrent claims, and all jobs are done in the end', async () => {
      const { laneId } = await limitedLanes(context, limits);
      const keys = [keyA, keyB];
      for (let i = 0; i < 30; i++) await submitMany(context, laneId, 1, { limitId: keys[i % 2], rank: i });
      const { sessionId } = await openWorker(context);
      let done = 0;
      for (let round = 0; done < 30; round++) {
        expect(round).toBeLessThan(40);
        const claims = await Promise.all([1, 2, 3].map(() => claimLimited(context, laneId, sessionId, 3)));
        const jobs = claims.flatMap((claim) => claim.jobs);
        for (const key of keys) {
          const [row] = await sql(
            context,
            `SELECT count(*)::int AS n FROM job_runs WHERE limit_id = '${key}' AND state = 5`,
          );
          expect(row?.n).toBeLessThanOrEqual(2);
        }
        const completed = await context.store.complete(jobs.map((job) => completionOf(job)));
        for (const { limitId } of completed) expect(keys).toContain(limitId);
        done += completed.length;
        await context.store.requeueDeferred(
          await context.store.readWaitingKeys('00000000-0000-0000-0000-000000000000', 10),
        );
      }
    });

    it('that is removed reopens everything that waits', async () => {
      const { laneId, definition } = await limitedLanes(context, limits);
      await submitMany(context, laneId, 5, { limitId: keyA });
      const { sessionId } = await openWorker(context);
      await claimLimited(context, laneId, sessionId, 10);
      await applyLimits(context, definition, {});
      expect(await context.store.readWaitingKeys('00000000-0000-0000-0000-000000000000', 10)).toEqual([keyA]);
      expect((await context.store.requeueDeferred([keyA])).lanes).toMatchObject([{ laneId, jobs: 3 }]);
      expect(await jobsOf(context.store.claim(claimOf([laneId], sessionId, 9)))).toHaveLength(3);
    });

    it('counts its deferred jobs as READY, in their own lane', async () => {
      const { laneId } = await limitedLanes(context, limits, 'q');
      await submitMany(context, laneId, 5, { limitId: keyA });
      const { sessionId } = await openWorker(context);
      await claimLimited(context, laneId, sessionId, 10);
      expect((await context.store.queues.read(q))?.counts).toEqual({ READY: 3, ASSIGNED: 2 });
      expect(await atLimitOf(context, laneId)).toBeGreaterThan(0);
    });
  });

  describe('a rate limit', () => {
    beforeEach(() => emptyTables(context));

    it('gives its burst, then waits for its units, each attempt at its cost', async () => {
      const rateLimit = { units: 2, periodMs: 3_600_000, burst: 7 };
      const { laneId } = await limitedLanes(context, { rateLimit, rateCost: 2 });
      await submitMany(context, laneId, 9);
      const { sessionId } = await openWorker(context);
      const before = await context.store.nowUs();
      const { jobs, seen } = await claimLimited(context, laneId, sessionId, 10);
      expect(jobs).toHaveLength(3);
      expect(seen?.exhausted).toBe(true);
      // One unit is left, and one more is added every half hour.
      expect(Math.abs((seen?.openTimeUs ?? 0) - before - 1_800e6)).toBeLessThan(60e6);
      await context.store.complete(jobs.map((job) => completionOf(job)));
      expect((await claimLimited(context, laneId, sessionId, 10)).jobs).toEqual([]);
      await sql(context, "UPDATE rate_buckets SET full_time = full_time - interval '1 hour'");
      expect((await claimLimited(context, laneId, sessionId, 10)).jobs).toHaveLength(1);
    });

    it('takes its units after the assignment, and never before', async () => {
      const rateLimit = { units: 1, periodMs: 60_000, burst: 5 };
      const { laneId } = await limitedLanes(context, { rateLimit });
      await submitMany(context, laneId, 9);
      const { sessionId } = await openWorker(context);
      await claimLimited(context, laneId, sessionId, 3);
      const [row] = await sql(
        context,
        `SELECT b.full_time BETWEEN r.assign_time + interval '180 s' AND muster_now() + interval '180 s' AS owed
         FROM rate_buckets b, job_runs r WHERE r.state = 5`,
      );
      expect(row?.owed).toBe(true);
    });

    it('is not used up for an hour by a clock that steps ahead between the count and the end of a claim', async () => {
      await emptyTables(context);
      const readUs = (await context.store.nowUs()) - 3_600e6;
      const taken = [{ bucketId: keyA, addedUs: 5e6, storedJobId: undefined }];
      await context.store.together(async (tx) => tx.takeRateUnits(taken, readUs));
      const read = `to_timestamp(${readUs / 1e6})`;
      const [row] = await sql(
        context,
        `SELECT full_time BETWEEN ${read} AND ${read} + interval '66 s' AS owed FROM rate_buckets`,
      );
      expect(row?.owed).toBe(true);
    });

    it('of a key defers its jobs, and returns when it has units again', async () => {
      const rateLimit = { units: 1, periodMs: 3_600_000, burst: 1 };
      const { laneId } = await limitedLanes(context, { keyLimit: { key: 'k', policy: 'WAIT', rateLimit } });
      await submitMany(context, laneId, 2, { limitId: keyA });
      await submitMany(context, laneId, 2, { limitId: keyB, rank: 2_000_000 });
      const { sessionId } = await openWorker(context);
      const { jobs, seen } = await claimLimited(context, laneId, sessionId, 10);
      expect(jobs).toHaveLength(2);
      expect([...(seen?.deferred ?? [])].sort()).toEqual([keyA, keyB]);
      const { lanes, later } = await context.store.requeueDeferred([keyA, keyB]);
      expect(lanes).toEqual([]);
      expect(later.map(({ limitId }) => limitId).sort()).toEqual([keyA, keyB]);
      await sql(context, `UPDATE rate_buckets SET full_time = muster_now() WHERE bucket_id = '${keyA}'`);
      expect((await context.store.requeueDeferred([keyA, keyB])).lanes).toMatchObject([{ laneId, jobs: 1 }]);
      expect((await claimLimited(context, laneId, sessionId, 10)).jobs).toHaveLength(1);
    });

    it('of a queue is not exceeded by many concurrent claims', async () => {
      const lanes = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q' })];
      const rateLimit = { units: 1, periodMs: 86_400_000, burst: 9 };
      await context.store.queues.update(q, { settings: { rateLimit }, etag: '' });
      for (const lane of lanes) await submitMany(context, lane, 20);
      const { sessionId } = await openWorker(context);
      const claims = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          // The lanes share the bucket of the queue; a bucket for each would be no limit.
          return claimLimited(context, lanes[i % 2] as number, sessionId, 3);
        }),
      );
      expect(claims.flatMap((claim) => claim.jobs)).toHaveLength(9);
    });
  });

  it('runs of jobs without limits have no limit id', async () => {
    const lane = await makeLane(context);
    const [jobId = newJobId()] = await submitMany(context, lane, 1);
    expect((await readRow(context, 'job_runs', jobId))?.limit_id).toBeNull();
  });
}
