/** Workers as users see them: listed in pages, shown with their jobs, and drained. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { ClaimedJob } from '../../../../../server/engine/ports/dispatch.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  claimOf,
  holdMany,
  jobsOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const NIL = '00000000-0000-0000-0000-000000000000';

export function workersSuite(context: StoreContext): void {
  const renew = async (sessionId: string, draining = false) =>
    only(await context.store.renewSessions([{ sessionId, pingEcho: 0, draining }], 60_000, 0));

  describe('the list of workers', () => {
    it('pages through the sessions that are not closed, with the jobs of each', async () => {
      const namespace = `list-${randomUUID()}`;
      const opened = await Promise.all(Array.from({ length: 5 }, () => openWorker(context, { namespace })));
      const ids = opened.map((session) => session.sessionId).sort() as [string, string, string, string, string];
      await context.store.closeSessions([ids[1], ids[3]], 'CLOSE');
      await context.store.endSessions([ids[3]]);
      const laneId = await makeLane(context, { namespace });
      await submitMany(context, laneId, 2);
      await claimMany(context, laneId, ids[4], 2);
      const first = await context.store.listSessions(namespace, NIL, 3);
      expect(first.map((row) => row.sessionId)).toEqual([ids[0], ids[1], ids[2]]);
      const rest = await context.store.listSessions(namespace, ids[2], 3);
      expect(rest.map((row) => [row.sessionId, row.held])).toEqual([[ids[4], 2]]);
      expect(await context.store.listSessions('elsewhere', NIL, 3)).toEqual([]);
    });
  });

  describe('one worker', () => {
    it('is found in its namespace alone, also when closed, with the number of its jobs', async () => {
      const [held] = await holdMany(context, 3);
      const sessionId = held?.sessionId as string;
      expect(await context.store.readWorker('default', sessionId)).toMatchObject({ sessionId, held: 3, state: 'OPEN' });
      expect(await context.store.readWorker('other', sessionId)).toBeUndefined();
      expect(await context.store.readWorker('default', randomUUID())).toBeUndefined();
      await context.store.closeSessions([sessionId], 'CLOSE');
      expect(await context.store.readWorker('default', sessionId)).toMatchObject({ state: 'CLOSING', held: 3 });
    });

    it('shows its jobs, held longest first, each with its progress', async () => {
      const laneId = await makeLane(context, { definition: 'held-by-one' });
      await submitMany(context, laneId, 4);
      const { sessionId } = await openWorker(context);
      const claimed: ClaimedJob[] = [];
      for (let i = 0; i < 4; i++) claimed.push(only(await claimMany(context, laneId, sessionId, 1)));
      const [first, second, third] = claimed as [ClaimedJob, ClaimedJob, ClaimedJob];
      await context.store.observe([first, second].map(keyOf), 0);
      await context.store.saveProgress(
        [{ ...keyOf(first), sequence: 1, fraction: 0.25, message: 'a quarter', checkpoint: undefined }],
        0,
      );
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds: [third.jobId] }, (run, nowUs) =>
        decideCancel(run, '', 1_000, { nowUs, random: 0 }),
      );
      const jobs = await context.store.readHeldJobs(sessionId, 10);
      expect(jobs.map((job) => [job.jobId, job.state, job.progress])).toEqual([
        [claimed[0]?.jobId, 'RUNNING', { fraction: 0.25, message: 'a quarter' }],
        [claimed[1]?.jobId, 'RUNNING', undefined],
        [claimed[2]?.jobId, 'CANCELLING', undefined],
        [claimed[3]?.jobId, 'ASSIGNED', undefined],
      ]);
      expect(jobs.every((job) => job.definition === 'held-by-one' && job.attempt === 1)).toBe(true);
      expect(await context.store.readHeldJobs(sessionId, 2)).toEqual(jobs.slice(0, 2));
      expect(await context.store.readHeldJobs(randomUUID(), 10)).toEqual([]);
    });
  });

  describe('a draining session', () => {
    async function drained(namespace = 'default'): Promise<string> {
      const { sessionId } = await openWorker(context, { namespace });
      await context.store.drainSession(namespace, sessionId);
      return sessionId;
    }

    it('gets nothing from a claim, while the others do', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 4);
      const sessionId = await drained();
      expect(await claimMany(context, laneId, sessionId, 2)).toEqual([]);
      const other = await openWorker(context);
      const permits = [sessionId, other.sessionId, sessionId, other.sessionId].map((id) => ({
        sessionId: id,
        creditId: 1,
        prefetch: false,
      }));
      const claimed = await jobsOf(context.store.claim({ ...claimOf([laneId], sessionId, 0), permits }));
      expect(claimed.map((job) => job.sessionId)).toEqual([other.sessionId, other.sessionId]);
    });

    it('gets no suspect', async () => {
      const laneId = await makeLane(context, { suspect: true });
      const [jobId] = await submitMany(context, laneId, 1);
      await sql(context, `UPDATE job_runs SET consecutive_losses = 2 WHERE job_id = '${jobId}'`);
      expect(await jobsOf(context.store.claim({ ...claimOf([laneId], await drained(), 1), suspects: true }))).toEqual(
        [],
      );
      const other = await openWorker(context);
      expect(
        await jobsOf(context.store.claim({ ...claimOf([laneId], other.sessionId, 1), suspects: true })),
      ).toHaveLength(1);
    });

    it('gets nothing from a submission', async () => {
      const laneId = await makeLane(context);
      const call = makeCall([makeJob(laneId)]);
      const permit = { sessionId: await drained(), creditId: 1, prefetch: false };
      const permits = new Map(call.jobs.map((job) => [job.jobId, permit]));
      expect(await context.store.submit([call], permits)).toMatchObject([{ jobs: [{ assigned: false }] }]);
      const [job] = call.jobs;
      expect(await context.store.readJob('default', job?.jobId as string)).toMatchObject({ state: 'READY' });
    });

    it('sends heartbeats, is notified with each of them, and drains whatever the worker reports', async () => {
      const sessionId = await drained();
      for (const draining of [false, true, false]) {
        expect(await renew(sessionId, draining)).toMatchObject({ draining: true, drainWanted: true });
      }
      await context.store.drainSession('default', sessionId);
      expect(await context.store.readWorker('default', sessionId)).toMatchObject({ draining: true, drainWanted: true });
      const [row] = await context.store.readSessions([sessionId]);
      expect(row).toMatchObject({ state: 'OPEN', draining: true });
    });

    it('keeps its jobs, and closes as any other', async () => {
      const [held] = await holdMany(context, 2);
      const sessionId = held?.sessionId as string;
      await context.store.drainSession('default', sessionId);
      expect(await context.store.readHeldJobs(sessionId, 10)).toHaveLength(2);
      expect(await context.store.closeSessions([sessionId], 'CLOSE')).toEqual([sessionId]);
    });

    it('is no offer to new versions of a definition', async () => {
      await drained('drained-offers');
      expect(await context.store.listOffers('drained-offers', NIL, 9)).toEqual([]);
    });

    it('must be an open one of the namespace', async () => {
      const { sessionId } = await openWorker(context);
      await context.store.drainSession('other', sessionId);
      expect((await renew(sessionId)).drainWanted).toBe(false);
      await context.store.closeSessions([sessionId], 'CLOSE');
      await context.store.drainSession('default', sessionId);
      expect(await context.store.readWorker('default', sessionId)).toMatchObject({ drainWanted: false });
    });
  });
}
