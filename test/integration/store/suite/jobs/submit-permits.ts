/** Jobs that the submitting statement assigns at once. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Permit } from '../../../../../server/engine/ports/dispatch.ts';
import type { NewJob, SubmitResult } from '../../../../../server/engine/ports/submissions.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  bytes,
  claimMany,
  completionOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

const assigned = (result: SubmitResult | undefined) =>
  result?.kind === 'stored' ? result.jobs.map((job) => job.assigned) : result;

const permitsOf = (jobs: readonly NewJob[], sessionId: string): Map<string, Permit> =>
  new Map(jobs.map((job, i) => [job.jobId, { sessionId, creditId: 7 + i, prefetch: false }]));

export function submitPermitsSuite(context: StoreContext): void {
  describe('a submission with permits', () => {
    it('assigns the jobs that have one, and leaves the others ready', async () => {
      const laneId = await makeLane(context);
      const { sessionId } = await openWorker(context);
      const jobs = [makeJob(laneId), makeJob(laneId, { expireTimeUs: Date.now() * 1000 + 6e7 }), makeJob(laneId)];
      const results = await context.store.submit([makeCall(jobs)], permitsOf(jobs.slice(0, 2), sessionId));
      expect(results.map(assigned)).toEqual([[true, true, false]]);
      for (const [i, job] of jobs.slice(0, 2).entries()) {
        const row = await readRow(context, 'job_runs', job.jobId);
        const held = { state: 5, attempt: 1, attempt_count: 0, session_id: sessionId, credit_id: 7 + i };
        expect(row).toMatchObject({ ...held, revision: 2, due_time: null });
        expect(row?.assign_time).not.toBeNull();
      }
      const row = await readRow(context, 'job_runs', jobs[2]?.jobId as string);
      expect(row).toMatchObject({
        state: 3,
        attempt: 0,
        revision: 1,
        session_id: null,
        credit_id: null,
        assign_time: null,
      });
    });

    it('creates an attempt like that of a claim: it can be completed, and no claim finds it', async () => {
      const laneId = await makeLane(context);
      const { sessionId } = await openWorker(context);
      const job = makeJob(laneId);
      await context.store.submit([makeCall([job])], permitsOf([job], sessionId));
      expect(await claimMany(context, laneId, sessionId, 5)).toEqual([]);
      const attempt = { jobId: job.jobId, attempt: 1, sessionId };
      expect(await context.store.complete([completionOf(attempt)])).toMatchObject([attempt]);
      expect(await context.store.readJob('default', job.jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    });

    it('leaves the jobs of sessions that are closing, closed or unknown ready', async () => {
      const laneId = await makeLane(context);
      const [open, closing, closed] = [await openWorker(context), await openWorker(context), await openWorker(context)];
      await context.store.closeSessions([closing.sessionId, closed.sessionId], 'CLOSE');
      await context.store.endSessions([closed.sessionId]);
      const ids = [closing.sessionId, closed.sessionId, randomUUID(), open.sessionId];
      const jobs = ids.map(() => makeJob(laneId));
      const permits = jobs.map((job, i): [string, Permit] => [
        job.jobId,
        { sessionId: ids[i] as string, creditId: 1, prefetch: true },
      ]);
      const results = await context.store.submit(
        jobs.map((job) => makeCall([job])),
        new Map(permits),
      );
      expect(results.map(assigned)).toEqual([[false], [false], [false], [true]]);
      expect(await claimMany(context, laneId, open.sessionId, 9)).toHaveLength(3);
    });

    it('assigns no jobs of a repeated call', async () => {
      const laneId = await makeLane(context);
      const { sessionId } = await openWorker(context);
      const request = { requestId: randomUUID(), bodyHash: bytes('body') };
      const [first, again] = [makeJob(laneId), makeJob(laneId)];
      const submit = async (job: NewJob) =>
        only(await context.store.submit([makeCall([job], request)], permitsOf([job], sessionId)));
      expect(assigned(await submit(first))).toEqual([true]);
      expect(await submit(again)).toMatchObject({ jobs: [{ jobId: first.jobId, existing: true, assigned: false }] });
      expect(await readRow(context, 'job_runs', again.jobId)).toBeUndefined();
    });
  });
}
