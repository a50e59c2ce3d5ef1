/** Claims: which jobs, in which order, with which permits, and for which sessions. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Claim, ClaimedJob } from '../../../../../server/engine/ports/dispatch.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  claimOf,
  jobsOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  payload,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const OVERHEAD = 512;
const byRank = (a: ClaimedJob, b: ClaimedJob) => a.rank - b.rank || (a.jobId < b.jobId ? -1 : 1);

export function claimSuite(context: StoreContext): void {
  const claimed = async (claim: Claim) => (await jobsOf(context.store.claim(claim))).sort(byRank);

  describe('claim', () => {
    it('returns what an assignment needs', async () => {
      const laneId = await makeLane(context);
      const job = makeJob(laneId, {
        rank: 42,
        input: {
          data: new Uint8Array([0, 255, 128, 10]),
          contentType: 'application/octet-stream',
          metadata: { 'a"b': 'ü\\' },
        },
        runTimeoutMs: 1_234,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        tracestate: 'a=b',
      });
      await context.store.submit([makeCall([job])]);
      const { sessionId } = await openWorker(context);
      const permit = { sessionId, creditId: 9_007_199_254_740_991, prefetch: true };
      const got = only(await claimed({ permits: [permit], lanes: [{ laneId, cursor: 0 }], maxBytes: 1e6 }));
      expect({ ...got, input: { ...got.input, data: new Uint8Array(got.input.data) } }).toEqual({
        ...permit,
        jobId: job.jobId,
        laneId,
        rank: 42,
        attempt: 1,
        attemptCount: 0,
        runTimeoutMs: 1_234,
        input: job.input,
        checkpoint: undefined,
        traceparent: job.traceparent,
        tracestate: 'a=b',
      });
      const row = await readRow(context, 'job_runs', job.jobId);
      expect(row).toMatchObject({ state: 5, attempt: 1, revision: 2, session_id: sessionId, due_time: null });
    });

    it('takes the lowest ranks first, then the lowest ids', async () => {
      const laneId = await makeLane(context);
      const jobs = [30, 10, 20, 10].map((rank) => makeJob(laneId, { rank }));
      await context.store.submit([makeCall(jobs)]);
      const { sessionId } = await openWorker(context);
      const order: string[] = [];
      for (let i = 0; i < 4; i++) order.push(only(await claimMany(context, laneId, sessionId, 1)).jobId);
      expect(order).toEqual([jobs[1], jobs[3], jobs[2], jobs[0]].map((job) => job?.jobId));
      expect(await claimMany(context, laneId, sessionId, 1)).toEqual([]);
    });

    it('merges several lanes by rank and leaves other lanes alone', async () => {
      const [a, b, other] = [await makeLane(context), await makeLane(context), await makeLane(context)];
      // The later the id, the lower the rank.
      const jobs = [4, 3, 2, 1].map((rank) => makeJob(rank % 2 ? a : b, { rank })).reverse();
      await context.store.submit([makeCall([...jobs, makeJob(other, { rank: 0 })])]);
      const { sessionId } = await openWorker(context);
      const got = await claimed(claimOf([b, a], sessionId, 3));
      expect(got.map((job) => job.jobId)).toEqual(jobs.slice(0, 3).map((job) => job.jobId));
    });

    it('scans from the cursor of each lane', async () => {
      const [a, b] = [await makeLane(context), await makeLane(context)];
      await context.store.submit([
        makeCall([1, 2, 3].flatMap((rank) => [makeJob(a, { rank }), makeJob(b, { rank: rank * 10 })])),
      ]);
      const { sessionId } = await openWorker(context);
      const lanes = [
        { laneId: a, cursor: 3 },
        { laneId: b, cursor: 20 },
      ];
      const got = await claimed({ ...claimOf([a], sessionId, 9), lanes });
      expect(got.map((job) => job.rank)).toEqual([3, 20, 30]);
    });

    it('fills the permits in their order', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 4);
      const [one, two] = [await openWorker(context), await openWorker(context)];
      const permits = [
        { sessionId: two.sessionId, creditId: 1, prefetch: false },
        { sessionId: one.sessionId, creditId: 2, prefetch: true },
        { sessionId: two.sessionId, creditId: 3, prefetch: true },
      ];
      const got = await claimed({ permits, lanes: [{ laneId, cursor: 0 }], maxBytes: 1e6 });
      expect(got.map(({ sessionId, creditId, prefetch }) => ({ sessionId, creditId, prefetch }))).toEqual(permits);
    });

    it('stops at the byte bound, but never before the first job', async () => {
      const laneId = await makeLane(context);
      const sizes = [5_000, 100, 100, 100];
      const jobs = sizes.map((size, rank) => makeJob(laneId, { rank, input: payload('x'.repeat(size)) }));
      await context.store.submit([makeCall(jobs)]);
      const { sessionId } = await openWorker(context);
      const take = async (maxBytes: number) =>
        (await claimed({ ...claimOf([laneId], sessionId, 9), maxBytes })).map((job) => job.rank);
      expect(await take(1_000)).toEqual([0]);
      expect(await take(2 * (100 + OVERHEAD))).toEqual([1, 2]);
      expect(await take(1)).toEqual([3]);
    });

    it('gives nothing to a session that is closing, closed or unknown, and everything to the others', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 5);
      const [open, closing, closed] = [await openWorker(context), await openWorker(context), await openWorker(context)];
      await context.store.closeSessions([closing.sessionId, closed.sessionId], 'CLOSE');
      await context.store.endSessions([closed.sessionId]);
      const ids = [closing.sessionId, closed.sessionId, randomUUID(), open.sessionId];
      const permits = ids.map((sessionId, creditId) => ({ sessionId, creditId, prefetch: false }));
      const got = await jobsOf(context.store.claim({ permits, lanes: [{ laneId, cursor: 0 }], maxBytes: 1e6 }));
      expect(only(got).creditId).toBe(3);
      expect(
        await jobsOf(
          context.store.claim({ permits: permits.slice(0, 3), lanes: [{ laneId, cursor: 0 }], maxBytes: 1e6 }),
        ),
      ).toEqual([]);
    });

    it('raises the attempt and the revision with each claim of a job', async () => {
      const laneId = await makeLane(context);
      const [jobId] = await submitMany(context, laneId, 1);
      const { sessionId } = await openWorker(context);
      for (let attempt = 1; attempt <= 3; attempt++) {
        const job = only(await claimMany(context, laneId, sessionId, 1));
        expect({ jobId: job.jobId, attempt: job.attempt }).toEqual({ jobId, attempt });
        const release = { state: 'READY', event: 'release', kind: 'continue', deadlineUs: null } as const;
        await context.store.change({ by: 'session', sessionId, limit: 10 }, (run) => ({
          ...release,
          ...run,
          run,
          ...release,
        }));
      }
    });

    it('never gives a job to two of many concurrent claims', async () => {
      const laneId = await makeLane(context);
      const ids = await submitMany(context, laneId, 300);
      const workers = await Promise.all(Array.from({ length: 6 }, () => openWorker(context)));
      const claims = workers.flatMap(({ sessionId }) =>
        Array.from({ length: 10 }, () => jobsOf(context.store.claim(claimOf([laneId], sessionId, 10)))),
      );
      const got = (await Promise.all(claims)).flat().map((job) => job.jobId);
      expect(new Set(got).size).toBe(got.length);
      const { sessionId } = await openWorker(context);
      const rest = (await claimMany(context, laneId, sessionId, 1_000)).map((job) => job.jobId);
      expect([...got, ...rest].sort()).toEqual([...ids].sort());
    });

    it('takes 1,000 at once', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 1_000);
      const { sessionId } = await openWorker(context);
      expect(await claimMany(context, laneId, sessionId, 1_000)).toHaveLength(1_000);
    });
  });
}
