/** Jobs as users see them, in every state. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail } from '../../../../../server/domain/jobs/decide.ts';
import { isTerminal, type JobState, stateCodes } from '../../../../../server/domain/jobs/job-state.ts';
import { completeViews } from '../../../../../server/engine/jobs/read/read-jobs.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  holdOne,
  keyOf,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import { putRun } from '../../../../support/store/store-states.ts';

const policy = definitionDefaults.retryPolicy;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
const states = Object.keys(stateCodes) as JobState[];
const heldStates: JobState[] = ['ASSIGNED', 'RUNNING', 'CANCELLING'];

export function readJobSuite(context: StoreContext): void {
  describe('a job', () => {
    it.each(states)('is shown %s', async (state) => {
      const { jobId, sessionId } = await putRun(context, state);
      const view = await context.store.readJob('default', jobId);
      const held = heldStates.includes(state);
      const byWorker = held || ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(state);
      expect(view).toMatchObject({ jobId, namespace: 'default', state, labels: {} });
      expect(view?.endTimeUs === undefined).toBe(!isTerminal(state));
      expect(view?.sessionId).toBe(byWorker ? sessionId : undefined);
      expect(view?.result === undefined).toBe(state !== 'SUCCEEDED');
      expect(view?.failure === undefined).toBe(!isTerminal(state) || state === 'SUCCEEDED');
      expect(view?.attempts).toHaveLength(byWorker ? 1 : 0);
      if (held)
        expect(view?.attempts[0]).toMatchObject({
          attempt: 1,
          workerName: 'worker',
          outcome: undefined,
          endTimeUs: undefined,
        });
    });

    it('is shown to have missed its soft deadline from the revision of the miss on', async () => {
      const { jobId } = await putRun(context, 'READY');
      await sql(
        context,
        `WITH late AS (SELECT '${jobId}'::uuid AS job_id, muster_now() - interval '1 minute' AS time),
         job AS (UPDATE jobs SET soft_deadline = late.time FROM late WHERE jobs.job_id = late.job_id)
         INSERT INTO soft_deadlines (job_id, time, reaction, priority) SELECT job_id, time, 1, 0 FROM late`,
      );
      const names = [{ namespace: 'default', jobId }];
      const records = await context.store.readJobRecords(names);
      await context.store.closePassedDeadlines(100, FAR_US);
      // A miss between the two reads of a view belongs to a later revision.
      const [earlier] = await completeViews(context.store, records);
      expect(earlier?.softDeadlineMissUs).toBeUndefined();
      const [later] = await context.store.readJobs(names);
      expect(later?.revision).toBe(only(records).view.revision + 1);
      expect(later?.softDeadlineMissUs).toBeDefined();
    });

    it('is not shown to another namespace, and an unknown id returns nothing', async () => {
      const { jobId } = await holdOne(context);
      expect(await context.store.readJob('other', jobId)).toBeUndefined();
      expect(await context.store.readJob('default', randomUUID())).toBeUndefined();
    });

    it('is shown among many, in the order of the requested ids', async () => {
      const [one, two] = [await holdOne(context), await holdOne(context)];
      await context.store.change({ by: 'attempts', attempts: [two] }, (run, nowUs) =>
        decideFail(run, failure, policy, { nowUs, random: 0 }),
      );
      const lane = await makeLane(context, { namespace: 'other' });
      const [foreign] = await submitMany(context, lane, 1);
      const names = [
        { namespace: 'default', jobId: two.jobId },
        { namespace: 'default', jobId: randomUUID() },
        { namespace: 'default', jobId: foreign as string },
        { namespace: 'other', jobId: foreign as string },
        { namespace: 'default', jobId: one.jobId },
        { namespace: 'default', jobId: two.jobId },
      ];
      const views = await context.store.readJobs(names);
      expect(views.map((view) => view?.jobId)).toEqual([
        two.jobId,
        undefined,
        undefined,
        foreign,
        one.jobId,
        two.jobId,
      ]);
      expect(views[4]).toEqual(await context.store.readJob('default', one.jobId));
      expect(views[5]).toEqual(await context.store.readJob('default', two.jobId));
      expect(views[5]?.attempts).toHaveLength(1);
      expect(await context.store.readJobs([])).toEqual([]);
    });

    it.each(states)('that is %s has the worker that got it last', async (state) => {
      const { jobId } = await putRun(context, state);
      const last = (await context.store.readJob('default', jobId))?.attempts.at(-1)?.workerName;
      expect(await context.store.readLastWorkers('default', [jobId])).toEqual(new Map([[jobId, last]]));
      expect(await context.store.readLastWorkers('other', [jobId, randomUUID()])).toEqual(new Map());
    });

    it('between two attempts has the worker of the last one', async () => {
      const laneId = await makeLane(context);
      const [jobId = ''] = await submitMany(context, laneId, 1);
      const lastWorker = async () => (await context.store.readLastWorkers('default', [jobId])).get(jobId);
      expect(await lastWorker()).toBeUndefined();
      for (const workerName of ['first', 'second']) {
        const { sessionId } = await openWorker(context, { workerName });
        const job = only(await claimMany(context, laneId, sessionId, 1));
        expect(await lastWorker()).toBe(workerName);
        await context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) =>
          decideFail(run, failure, policy, { nowUs, random: 0 }),
        );
        expect(await lastWorker()).toBe(workerName);
        await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${jobId}'`);
      }
    });

    it('shows each attempt in order, with worker, times and failure', async () => {
      const laneId = await makeLane(context);
      const [jobId] = await submitMany(context, laneId, 1);
      const names = ['first', 'second', 'third'];
      for (const workerName of names) {
        const { sessionId } = await openWorker(context, { workerName });
        const job = only(await claimMany(context, laneId, sessionId, 1));
        if (workerName === 'third') await context.store.complete([completionOf(job)]);
        else
          await context.store.change({ by: 'attempts', attempts: [job] }, (run, nowUs) =>
            decideFail(run, failure, policy, { nowUs, random: 0 }),
          );
        await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${jobId}'`);
      }
      const view = await context.store.readJob('default', jobId as string);
      expect(view).toMatchObject({ state: 'SUCCEEDED', attempt: 3, attemptCount: 3 });
      expect(
        view?.attempts.map((item) => [item.attempt, item.workerName, item.outcome, item.counted, item.failure?.type]),
      ).toEqual([
        [1, 'first', 'FAILED', true, 'Oops'],
        [2, 'second', 'FAILED', true, 'Oops'],
        [3, 'third', 'SUCCEEDED', true, undefined],
      ]);
      const times = view?.attempts.flatMap((item) => [item.assignTimeUs, item.endTimeUs]) as number[];
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    it('shows the last 100 attempts of many', async () => {
      const job = await holdOne(context);
      await sql(context, `UPDATE job_runs SET attempt = 151 WHERE job_id = '${job.jobId}'`);
      await sql(
        context,
        `INSERT INTO job_attempts (job_id, attempt, session_id, outcome, counted, assign_time, end_time)
         SELECT '${job.jobId}', n, '${job.sessionId}', 4, false, muster_now(), muster_now() FROM generate_series(1, 150) AS n`,
      );
      const view = await context.store.readJob('default', job.jobId);
      expect(view?.attempts.map((item) => item.attempt)).toEqual(Array.from({ length: 100 }, (_, i) => 52 + i));
    });
  });

  describe('look-ups by id', () => {
    it('show which jobs exist and which have ended', async () => {
      const [open, ended] = [await holdOne(context), await holdOne(context)];
      await context.store.complete([completionOf(keyOf(ended))]);
      const ids = [open.jobId, ended.jobId, randomUUID()];
      expect((await context.store.findJobs(ids)).sort()).toEqual([open.jobId, ended.jobId].sort());
      expect(await context.store.findEnded(ids)).toEqual([ended.jobId]);
      expect(await context.store.findJobs([])).toEqual([]);
    });

    it('return the revision of each job, open or ended', async () => {
      const [open, ended] = [await holdOne(context), await holdOne(context)];
      await context.store.complete([completionOf(keyOf(ended))]);
      const names = [ended.jobId, randomUUID(), open.jobId, ended.jobId];
      const views = await context.store.readJobs(names.map((jobId) => ({ namespace: 'default', jobId })));
      const revisions = await context.store.readRevisions(names);
      expect(revisions).toEqual(views.map((view) => view?.revision));
      expect(revisions).toEqual([3, undefined, 2, 3]);
      await context.store.observe([keyOf(open)], 0);
      expect(await context.store.readRevisions([open.jobId])).toEqual([3]);
    });
  });
}
