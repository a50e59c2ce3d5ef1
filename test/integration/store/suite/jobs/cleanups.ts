/** Clean-ups: created with the end of the cancelled job, or not at all. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideConfirmCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { Cleanup } from '../../../../../server/domain/jobs/run.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  holdOne,
  makeLane,
  newJobId,
  only,
  openWorker,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

export function cleanupsSuite(context: StoreContext): void {
  async function cancelHeld(cleanupOf: (laneId: number) => Promise<Cleanup>) {
    const job = await holdOne(context);
    const cleanup = await cleanupOf(job.laneId);
    const moment = (nowUs: number) => ({ nowUs, random: 0 });
    await context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) =>
      decideCancel(run, 'enough', 1_000, moment(nowUs)),
    );
    const end = context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) => {
      const change = decideConfirmCancel(run, moment(nowUs));
      return change.kind === 'end' ? { ...change, cleanup } : undefined;
    });
    return { job, cleanup, end };
  }

  const cleanupIn = (laneId: number, jobId = newJobId()): Cleanup => ({
    jobId,
    laneId,
    rank: 5,
    runTimeoutMs: 1_234,
    retryPolicy: definitionDefaults.cleanupRetryPolicy,
  });

  describe('a clean-up', () => {
    it('has the input of its job, a lane, limits and policy of its own, and can be claimed', async () => {
      const laneId = await makeLane(context, { cleanup: true });
      const { job, cleanup, end } = await cancelHeld(async () => cleanupIn(laneId));
      await end;
      const { sessionId } = await openWorker(context);
      const claimed = only(await claimMany(context, laneId, sessionId, 9));
      expect(claimed).toMatchObject({ jobId: cleanup.jobId, attempt: 1, rank: 5, runTimeoutMs: 1_234 });
      expect(Buffer.compare(claimed.input.data, job.input.data)).toBe(0);
      expect(claimed.input.contentType).toBe(job.input.contentType);
      const view = await context.store.readJob('default', job.jobId);
      expect(view?.cancellation).toMatchObject({ stage: 'STOPPED', reason: 'enough' });
      expect(view?.cleanupJobId).toBe(cleanup.jobId);
      expect(await context.store.readJob('default', cleanup.jobId)).toMatchObject({ parentJobId: job.jobId });
    });

    it('that can not be created leaves the job as it was', async () => {
      const taken = await holdOne(context);
      const { job, end } = await cancelHeld(async (laneId) => cleanupIn(laneId, taken.jobId));
      await expect(end).rejects.toMatchObject({ code: '23505' });
      expect(await readRow(context, 'job_outcomes', job.jobId)).toBeUndefined();
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ state: 8 });
    });
  });

  describe('the lane of a clean-up', () => {
    it('differs from that of its job', async () => {
      const key = { definition: `cleaned-${newJobId()}` };
      const [a, b] = [await makeLane(context, key), await makeLane(context, { ...key, cleanup: true })];
      expect(a).not.toBe(b);
      const lanes = await context.store.readLanes([a, b]);
      expect(lanes.find((lane) => lane.laneId === a)?.cleanup).toBeUndefined();
      expect(lanes.find((lane) => lane.laneId === b)?.cleanup).toBe(true);
    });
  });
}
