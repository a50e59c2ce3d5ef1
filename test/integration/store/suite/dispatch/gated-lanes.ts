/** Gated lanes: nothing of them is assigned on any path until their last gate is removed. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { GateReason } from '../../../../../server/engine/ports/lanes.ts';
import { gateLanes, gates } from '../../../../../server/store/dispatch/gated-lanes.ts';
import { readHeadsOf } from '../../../../../server/store/dispatch/lanes.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  claimOf,
  jobsOf,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

export function gatedLanesSuite(context: StoreContext): void {
  const hold = (laneIds: readonly number[], reason: GateReason, isHeld: boolean) =>
    context.database.transaction((session) => gateLanes(session, laneIds, reason, isHeld));

  describe('a gated lane', () => {
    beforeEach(() => emptyTables(context));

    it('gives nothing to a claim, which learns of the gate, while the others give their jobs', async () => {
      const [held, open] = [await makeLane(context), await makeLane(context)];
      await submitMany(context, held, 3);
      await submitMany(context, open, 3);
      await hold([held], 'queuePaused', true);
      const { sessionId } = await openWorker(context);
      const { jobs, gatedLaneIds } = await context.store.claim(claimOf([held, open], sessionId, 5));
      expect(jobs.map((job) => job.laneId)).toEqual([open, open, open]);
      expect(gatedLaneIds).toEqual([held]);
      expect(await claimMany(context, held, sessionId, 5)).toEqual([]);
    });

    it('that does not exist is not reported to a claim', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 1);
      const { sessionId } = await openWorker(context);
      const { jobs, gatedLaneIds } = await context.store.claim(claimOf([laneId], sessionId, 1));
      expect(jobs).toHaveLength(1);
      expect(gatedLaneIds).toEqual([]);
    });

    it('gives no suspects either', async () => {
      const laneId = await makeLane(context, { suspect: true });
      await submitMany(context, laneId, 1);
      await sql(context, 'UPDATE job_runs SET consecutive_losses = 2');
      await hold([laneId], 'breakerOpen', true);
      const { sessionId } = await openWorker(context);
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toEqual([]);
      await hold([laneId], 'breakerOpen', false);
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toHaveLength(1);
    });

    it('leaves jobs ready whose permits were reserved at the submission, and frees the permits', async () => {
      const [held, open] = [await makeLane(context), await makeLane(context)];
      await hold([held], 'queuePaused', true);
      const { sessionId } = await openWorker(context);
      const jobs = [makeJob(held), makeJob(open)];
      const permits = new Map(jobs.map((job) => [job.jobId, { sessionId, creditId: 7, prefetch: false }]));
      const [result] = await context.store.submit([makeCall(jobs)], permits);
      expect(result).toMatchObject({ jobs: [{ assigned: false }, { assigned: true }] });
      expect(await readRow(context, 'job_runs', jobs[0]?.jobId as string)).toMatchObject({ state: 3, attempt: 0 });
      expect(await readRow(context, 'job_runs', jobs[1]?.jobId as string)).toMatchObject({ state: 5, attempt: 1 });
    });

    it('reopens when its last gate is removed, and only reopened lanes are returned', async () => {
      const [laneId, other] = [await makeLane(context), await makeLane(context)];
      await submitMany(context, laneId, 1);
      expect(await hold([laneId, other], 'queuePaused', true)).toEqual([]);
      expect(await hold([laneId], 'breakerOpen', true)).toEqual([]);
      expect(await hold([laneId, other], 'queuePaused', false)).toEqual([other]);
      const { sessionId } = await openWorker(context);
      expect(await claimMany(context, laneId, sessionId, 1)).toEqual([]);
      expect(await hold([laneId], 'queuePaused', false)).toEqual([]);
      expect(await hold([laneId], 'breakerOpen', false)).toEqual([laneId]);
      expect(await claimMany(context, laneId, sessionId, 1)).toHaveLength(1);
    });

    it('has no head for the scan, and one for the call that reopens it', async () => {
      const [held, open, empty] = [await makeLane(context), await makeLane(context), await makeLane(context)];
      await submitMany(context, held, 2);
      await submitMany(context, open, 2);
      await hold([held], 'queuePaused', true);
      expect((await context.store.readHeads(0)).heads).toEqual([{ laneId: open, rank: 1_000_000, limited: false }]);
      expect(await readHeadsOf(context.database, [held, empty])).toEqual([{ laneId: held, rank: 1_000_000 }]);
    });
  });

  describe('a lane created while its queue is paused', () => {
    beforeEach(() => emptyTables(context));

    it('is gated from the start, except for clean-ups', async () => {
      await makeLane(context, { queue: 'still' });
      await sql(context, "UPDATE queues SET paused = true WHERE name = 'still'");
      const laneIds = [
        await makeLane(context, { queue: 'still' }),
        await makeLane(context, { queue: 'still', suspect: true }),
        await makeLane(context, { queue: 'still', cleanup: true }),
        await makeLane(context),
      ];
      const rows = await sql(context, 'SELECT lane_id, gates FROM lanes');
      const bits = laneIds.map((laneId) => rows.find((row) => row.lane_id === laneId)?.gates);
      expect(bits).toEqual([gates.queuePaused, gates.queuePaused, 0, 0]);
    });
  });
}
