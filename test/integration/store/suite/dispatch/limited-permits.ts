/** Jobs of limited lanes with a permit at their submission: assigned at once, up to the limits. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, openWorker } from '../../../../support/store/store-fixtures.ts';
import { applyLimits, claimLimited, limitedLanes, submitAssigned } from '../../../../support/store/store-limits.ts';

const keyA = 'aaaaaaaa-0000-8000-8000-000000000000';
const keyB = 'bbbbbbbb-0000-8000-8000-000000000000';

export function limitedPermitsSuite(context: StoreContext): void {
  const held = async () =>
    (await sql(context, 'SELECT count(*)::int AS n FROM job_runs WHERE state IN (5, 6, 8)'))[0]?.n;

  describe('permits for limited jobs at their submission', () => {
    beforeEach(() => emptyTables(context));

    it('are used up to the capacity, lowest ranks first; the other jobs wait', async () => {
      const { laneId } = await limitedLanes(context, { maxConcurrency: 2 });
      const { sessionId } = await openWorker(context);
      const { jobs, assigned } = await submitAssigned(context, laneId, sessionId, [
        { rank: 3 },
        { rank: 1 },
        { rank: 2 },
      ]);
      expect(assigned).toEqual([false, true, true]);
      expect(await held()).toBe(2);
      expect((await submitAssigned(context, laneId, sessionId, [{}])).assigned).toEqual([false]);
      expect((await claimLimited(context, laneId, sessionId, 9)).jobs).toEqual([]);
      const done = jobs.slice(1).map(({ jobId }) => completionOf({ jobId, attempt: 1, sessionId }));
      expect(await context.store.complete(done)).toHaveLength(2);
      expect((await submitAssigned(context, laneId, sessionId, [{}])).assigned).toEqual([true]);
      expect((await claimLimited(context, laneId, sessionId, 9)).jobs).toHaveLength(1);
    });

    it('are used up to the capacity of each key', async () => {
      const keyLimit = { key: 'input.a', maxConcurrency: 1, policy: 'WAIT' } as const;
      const { laneId } = await limitedLanes(context, { keyLimit });
      const { sessionId } = await openWorker(context);
      const job = (limitId: string) => ({ limitId, limitKey: limitId.slice(0, 1) });
      const first = await submitAssigned(context, laneId, sessionId, [job(keyA), job(keyA), job(keyB), {}]);
      expect(first.assigned).toEqual([true, false, true, true]);
      expect((await submitAssigned(context, laneId, sessionId, [job(keyA), job(keyB)])).assigned).toEqual([
        false,
        false,
      ]);
    });

    it('take the units of rates', async () => {
      const rateLimit = { units: 2, periodMs: 3_600_000, burst: 2 };
      const keyLimit = { key: '', policy: 'WAIT', rateLimit: { ...rateLimit, burst: 1 } } as const;
      const { laneId } = await limitedLanes(context, { rateLimit, keyLimit });
      const { sessionId } = await openWorker(context);
      const ofKeys = [keyA, keyA, keyB, undefined].map((limitId) => ({ limitId }));
      expect((await submitAssigned(context, laneId, sessionId, ofKeys)).assigned).toEqual([true, false, true, false]);
      const { jobs, seen } = await claimLimited(context, laneId, sessionId, 9);
      expect(jobs).toEqual([]);
      expect(seen?.exhausted).toBe(true);
    });

    it('take no units for a call that was stored before', async () => {
      const rateLimit = { units: 1, periodMs: 3_600_000, burst: 9 };
      const { laneId } = await limitedLanes(context, { rateLimit });
      const { sessionId } = await openWorker(context);
      const call = { requestId: randomUUID(), bodyHash: new Uint8Array([1]) };
      const fullTime = async () => (await sql(context, 'SELECT full_time FROM rate_buckets'))[0]?.full_time;
      expect((await submitAssigned(context, laneId, sessionId, [{}, {}], call)).assigned).toEqual([true, true]);
      const before = await fullTime();
      await submitAssigned(context, laneId, sessionId, [{}, {}], call);
      expect(await fullTime()).toBe(before);
      await submitAssigned(context, laneId, sessionId, [{}], { ...call, requestId: randomUUID() });
      expect((await fullTime()) - before).toBe(3_600_000_000);
    });

    it('never exceed the limit, however many jobs are stored and claimed at once', async () => {
      const { laneId } = await limitedLanes(context, { maxConcurrency: 7 });
      const { sessionId } = await openWorker(context);
      await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          i % 3
            ? submitAssigned(context, laneId, sessionId, [{}, {}, {}])
            : claimLimited(context, laneId, sessionId, 3),
        ),
      );
      expect(await held()).toBe(7);
    });

    it('are not used in a session that has closed or in a lane whose queue is paused', async () => {
      const { laneId } = await limitedLanes(context, { maxConcurrency: 5 });
      const { sessionId } = await openWorker(context);
      await context.store.closeSessions([sessionId], 'CLOSE');
      expect((await submitAssigned(context, laneId, sessionId, [{}])).assigned).toEqual([false]);
      const { sessionId: open } = await openWorker(context);
      await sql(context, `UPDATE lanes SET gates = gates | 1 WHERE lane_id = ${laneId}`);
      expect((await submitAssigned(context, laneId, open, [{}])).assigned).toEqual([false]);
    });

    it('are used up to the requested number after the limits are removed', async () => {
      const { laneId, definition } = await limitedLanes(context, { maxConcurrency: 1 });
      await applyLimits(context, definition, {});
      const { sessionId } = await openWorker(context);
      expect((await submitAssigned(context, laneId, sessionId, [{}, {}])).assigned).toEqual([true, true]);
    });
  });
}
