/** Suspects: claimed one per session, in lanes of their own, charged when their session is lost. */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimOf,
  completionOf,
  jobsOf,
  makeLane,
  only,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

export function suspectsSuite(context: StoreContext): void {
  /** A lane with that many suspects. */
  async function makeSuspects(count: number): Promise<number> {
    const laneId = await makeLane(context, { suspect: true });
    const ids = await submitMany(context, laneId, count);
    await sql(context, `UPDATE job_runs SET consecutive_losses = 2 WHERE job_id = ANY('{${ids.join()}}')`);
    return laneId;
  }

  describe('a claim of suspects', () => {
    it('gives each session one, however many permits it has', async () => {
      const laneId = await makeSuspects(5);
      const [a, b] = [await openWorker(context), await openWorker(context)];
      const permits = [a, a, b, a, b].map(({ sessionId }) => ({ sessionId, creditId: 1, prefetch: false }));
      const claimed = await jobsOf(
        context.store.claim({ ...claimOf([laneId], a.sessionId, 0), permits, suspects: true }),
      );
      expect(claimed.map((job) => job.sessionId).sort()).toEqual([a.sessionId, b.sessionId].sort());
    });

    it('gives none to a session that holds one, until that one is over', async () => {
      const laneId = await makeSuspects(3);
      const { sessionId } = await openWorker(context);
      const first = only(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true })));
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toEqual([]);
      await context.store.complete([completionOf(first)]);
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toHaveLength(1);
    });

    it('ignores the other jobs that the session holds', async () => {
      const laneId = await makeSuspects(1);
      const others = await makeLane(context);
      await submitMany(context, others, 3);
      const { sessionId } = await openWorker(context);
      await jobsOf(context.store.claim(claimOf([others], sessionId, 3)));
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toHaveLength(1);
    });

    it('gives none to a session that is not open', async () => {
      const laneId = await makeSuspects(1);
      const { sessionId } = await openWorker(context);
      await context.store.closeSessions([sessionId], 'CLOSE');
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true }))).toEqual([]);
    });
  });

  describe('the lane of a job', () => {
    it('is set by the decision, as are its losses', async () => {
      const laneId = await makeLane(context);
      const quarantined = await makeLane(context, { suspect: true });
      await submitMany(context, laneId, 1);
      const { sessionId } = await openWorker(context);
      const job = only(await jobsOf(context.store.claim(claimOf([laneId], sessionId, 1))));
      await context.store.change({ by: 'session', sessionId, limit: 1 }, (run, nowUs) => {
        const change = decideSessionEnd({ ...run, consecutiveLosses: 2 }, 'LAPSE', { nowUs, random: 0.5 });
        return change.kind === 'end' ? change : { ...change, laneId: quarantined };
      });
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({
        lane_id: quarantined,
        consecutive_losses: 3,
        suspect_losses: 1,
      });
    });

    it('can change while the suspect losses stay: an ordinary failure clears the suspicion alone', async () => {
      const laneId = await makeSuspects(1);
      await sql(context, `UPDATE job_runs SET suspect_losses = 1 WHERE lane_id = ${laneId}`);
      const { sessionId } = await openWorker(context);
      const job = only(await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 1), suspects: true })));
      const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
      await context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) =>
        decideFail(run, failure, definitionDefaults.retryPolicy, { nowUs, random: 0.5 }),
      );
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ consecutive_losses: 0, suspect_losses: 1 });
    });
  });
}
