/** Workflows in the store: the jobs of their steps, their start, and their inbox. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { continueAs, decideFail } from '../../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import { decidePause } from '../../../../../server/domain/jobs/pause.ts';
import type { OpenRun } from '../../../../../server/domain/jobs/run.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import {
  cancelOne,
  changeOne,
  holdChildren,
  lockAll,
  start,
  startChildren,
  startWorkflow,
  succeed,
} from '../../../../support/store/store-workflows.ts';

const lastTry = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };
const failure = {
  ...systemFailure('APPLICATION', 'Oops', 'it "broke" \\ {NULL}'),
  details: { data: new Uint8Array([0, 255]), contentType: 'x', metadata: { a: 'b' } },
};
const moment = (nowUs: number) => ({ nowUs, random: 0.5 });

export function workflowsSuite(context: StoreContext): void {
  const cancel = (jobId: string) => cancelOne(context, jobId);
  const inbox = async (jobId: string) => only(await lockAll(context, [jobId])).inbox;
  const kinds = async (jobId: string) => (await inbox(jobId)).map(({ kind }) => kind);

  describe('the jobs of steps', () => {
    it('are stored with their step and item, next to jobs without one', async () => {
      const laneId = await makeLane(context);
      const parent = { jobId: randomUUID(), step: 9_999, item: 100_000 };
      const [child, plain] = [makeJob(laneId, { parent }), makeJob(laneId)];
      await context.store.submit([makeCall([child, plain])]);
      const stored = { parent_job_id: parent.jobId, step: 9_999, item: 100_000 };
      const none = { parent_job_id: null, step: null, item: null };
      for (const table of ['jobs', 'job_runs']) {
        expect(await readRow(context, table, child.jobId)).toMatchObject(stored);
        expect(await readRow(context, table, plain.jobId)).toMatchObject(none);
      }
      const seen: OpenRun[] = [];
      const jobIds = [child.jobId, plain.jobId];
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds }, (run) => void seen.push(run));
      expect(new Map(seen.map((run) => [run.jobId, run.parentJobId]))).toEqual(
        new Map([
          [child.jobId, parent.jobId],
          [plain.jobId, null],
        ]),
      );
      expect((await context.store.readJob('default', child.jobId))?.parentJobId).toBe(parent.jobId);
    });

    it('keep their position at step 0 and item 0', async () => {
      const laneId = await makeLane(context);
      const child = makeJob(laneId, { parent: { jobId: randomUUID(), step: 0, item: 0 } });
      await context.store.submit([makeCall([child])]);
      expect(await readRow(context, 'job_runs', child.jobId)).toMatchObject({ step: 0, item: 0 });
    });
  });

  describe('the start of workflows', () => {
    const take = (laneIds: readonly number[], limit: number) =>
      context.store.change({ by: 'workflows', laneIds, limit }, start);

    it('takes ready jobs of these lanes, lowest rank first, and returns them', async () => {
      const [one, two, other] = [await makeLane(context), await makeLane(context), await makeLane(context)];
      const [c] = await submitMany(context, one, 1, { rank: 3 });
      const [a] = await submitMany(context, two, 1, { rank: 1 });
      const [b] = await submitMany(context, one, 1, { rank: 2 });
      await submitMany(context, other, 1, { rank: 0 });
      expect((await take([one, two], 2)).map(({ run }) => run.jobId)).toEqual([a, b]);
      expect(await readRow(context, 'job_runs', a as string)).toMatchObject({ state: 7, session_id: null, attempt: 0 });
      expect((await take([one, two], 2)).map(({ run }) => run.jobId)).toEqual([c]);
      expect(await take([one, two], 2)).toEqual([]);
      expect(await kinds(a as string)).toEqual(['STARTED']);
    });

    it('takes nothing of a gated lane, and only ready jobs', async () => {
      const [held, free] = [await makeLane(context), await makeLane(context)];
      await submitMany(context, held, 1);
      const [paused] = await submitMany(context, free, 1);
      await changeOne(context, paused as string, (run) => {
        const decision = decidePause(run, { reason: '' }, 0);
        return typeof decision === 'string' ? undefined : decision;
      });
      await sql(context, `UPDATE lanes SET gates = 1 WHERE lane_id = ${held}`);
      expect(await take([held, free], 10)).toEqual([]);
      await sql(context, `UPDATE lanes SET gates = 0 WHERE lane_id = ${held}`);
      expect(await take([held, free], 10)).toHaveLength(1);
    });
  });

  describe('the inbox of a workflow', () => {
    it('gets each step and outcome of a statement once, with its jobs', async () => {
      const [one, two] = [await startWorkflow(context), await startWorkflow(context)];
      expect([await kinds(one), await kinds(two)]).toEqual([['STARTED'], ['STARTED']]);
      const [a, b] = [await holdChildren(context, one, 1, 3), await holdChildren(context, one, 2, 1)];
      const [c, plain] = [await holdChildren(context, two, 1, 1), await holdChildren(context, randomUUID(), 1, 1)];
      const done = await context.store.complete([...a, ...b, ...c, ...plain].map((job) => completionOf(job)));
      expect(new Map(done.map(({ jobId, parentJobId }) => [jobId, parentJobId])).get(b[0]?.jobId as string)).toBe(one);
      const reported = (step: number, jobs: readonly { jobId: string }[]) => {
        const byId = jobs.map(({ jobId }, item) => ({ jobId, item })).sort((x, y) => (x.jobId < y.jobId ? -1 : 1));
        return {
          kind: 'CHILDREN_ENDED',
          step,
          state: 'SUCCEEDED',
          items: byId.map(({ item }) => item),
          childIds: byId.map(({ jobId }) => jobId),
        };
      };
      const found = [...(await inbox(one))].sort((x, y) => Number(x.step) - Number(y.step));
      expect(found).toMatchObject([reported(1, a), reported(2, b)]);
      expect(await inbox(two)).toMatchObject([reported(1, c)]);
    });

    it('gets nothing from jobs without a workflow', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 2);
      const { sessionId } = await openWorker(context);
      const [a, b] = await claimMany(context, laneId, sessionId, 2);
      if (!a || !b) throw new Error('two jobs were submitted');
      const [before] = await sql(context, 'SELECT count(*)::int AS n FROM job_inbox');
      const [done] = await context.store.complete([completionOf(a)]);
      expect(done?.parentJobId).toBeUndefined();
      await context.store.change({ by: 'attempts', attempts: [b] }, (run, nowUs) =>
        decideFail(run, failure, lastTry, moment(nowUs)),
      );
      expect(await sql(context, 'SELECT count(*)::int AS n FROM job_inbox')).toEqual([before]);
    });

    it('gets a failure, a cancel, an expiry and a timeout, and no retry', async () => {
      const jobId = await startWorkflow(context);
      await inbox(jobId);
      const [failing, retried] = await holdChildren(context, jobId, 1, 2);
      if (!failing || !retried) throw new Error('two jobs were submitted');
      await context.store.change({ by: 'attempts', attempts: [failing, retried] }, (run, nowUs) =>
        decideFail(run, failure, run.jobId === failing.jobId ? lastTry : { ...lastTry, maxAttempts: 2 }, moment(nowUs)),
      );
      const cancelled = only((await startChildren(context, jobId, 2, 1)).ids);
      await cancel(cancelled);
      const laneId = await makeLane(context);
      const past = (await context.store.nowUs()) - 1;
      const parent = (item: number) => ({ parent: { jobId, step: 3, item } });
      const expired = makeJob(laneId, { ...parent(0), expireTimeUs: past });
      const late = makeJob(laneId, { ...parent(1), deadlineUs: past });
      await context.store.submit([makeCall([expired, late])]);
      await context.store.change({ by: 'due', limit: 1_000, latestUs: FAR_US }, (run, nowUs) =>
        run.parentJobId === jobId && run.jobId !== retried.jobId ? decideDue(run, lastTry, moment(nowUs)) : undefined,
      );
      const reported = (await inbox(jobId)).map(({ step, state, items, childIds }) => [step, state, items, childIds]);
      expect(reported.sort()).toEqual([
        [1, 'FAILED', [0], [failing.jobId]],
        [2, 'CANCELLED', [0], [cancelled]],
        [3, 'EXPIRED', [0], [expired.jobId]],
        [3, 'FAILED', [1], [late.jobId]],
      ]);
    });

    it('gets its own cancel, or the end of its time', async () => {
      const [one, two] = [await startWorkflow(context), await startWorkflow(context)];
      await cancel(one);
      await changeOne(context, two, (run) => continueAs('timeOut', run, { state: 'WAITING', reason: 'late' }));
      const [first, second] = [await lockAll(context, [one]), await lockAll(context, [two])];
      expect(first).toMatchObject([{ state: 'CANCELLING', reason: 'enough' }]);
      expect(second).toMatchObject([{ state: 'WAITING', reason: 'late' }]);
      expect(first[0]?.inbox.map(({ kind }) => kind)).toEqual(['STARTED', 'CANCEL']);
      expect(second[0]?.inbox.map(({ kind }) => kind)).toEqual(['STARTED', 'TIME_OUT']);
      // Its row has no session, but everything else that a claim sets.
      expect(await readRow(context, 'job_runs', one)).toMatchObject({ state: 8, session_id: null, credit_id: null });
      expect((await context.store.readJob('default', one))?.state).toBe('CANCELLING');
    });

    it('gets the end of a workflow that is a step of another one', async () => {
      const outer = await startWorkflow(context);
      const inner = await startWorkflow(context, { parent: { jobId: outer, step: 4, item: 2 } });
      await changeOne(context, inner, succeed);
      expect((await inbox(outer)).slice(1)).toMatchObject([
        { kind: 'CHILDREN_ENDED', step: 4, state: 'SUCCEEDED', items: [2], childIds: [inner] },
      ]);
    });
  });
}
