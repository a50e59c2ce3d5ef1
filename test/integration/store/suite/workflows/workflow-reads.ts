/** Workflows as users see them, from rows as the engine writes them. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { everyJob } from '../../../../../server/domain/jobs/job-filter.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeLane, submitMany } from '../../../../support/store/store-fixtures.ts';
import { putRun } from '../../../../support/store/store-states.ts';

const counted = { size: 9, started: 4, succeeded: 2, failed: 1, late: 0, ruleCounts: [] };

export function workflowReadsSuite(context: StoreContext): void {
  const putStep = (jobId: string, step: number, state: number, set: Record<string, string> = {}) => {
    const columns = {
      job_id: `'${jobId}'`,
      step,
      state,
      succeeded: 0,
      failed: 0,
      upstream_failed: 0,
      skipped: 0,
      ...set,
    };
    const all = { iteration: 0, ...columns };
    return sql(context, `INSERT INTO workflow_steps (${Object.keys(all)}) VALUES (${Object.values(all)})`);
  };
  const adopt = (childId: string, jobId: string, step: number, item = 0) =>
    sql(
      context,
      `UPDATE jobs SET parent_job_id = '${jobId}', step = ${step}, item = ${item} WHERE job_id = '${childId}'`,
    );

  describe('a workflow', () => {
    it('that has not been started has no phase and no steps', async () => {
      const { readRun, readStates, readSteps } = context.store.workflowReads;
      const jobId = randomUUID();
      const counts = { WAITING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, UPSTREAM_FAILED: 0, SKIPPED: 0 };
      expect(await readRun(jobId)).toEqual({ phase: undefined, counts, cached: 0 });
      expect([await readStates(jobId, -1), await readSteps(jobId, [0, 1])]).toEqual([[], []]);
    });

    it.each([
      [1, 'WORK'],
      [2, 'ON_FAILURE'],
      [3, 'FINALLY'],
    ])('in phase %i is shown in %s, with its steps counted', async (code, phase) => {
      const jobId = randomUUID();
      await sql(context, `INSERT INTO workflow_runs VALUES ('${jobId}', 1, ${code}, 0, 0, 0, false, false, NULL)`);
      for (const [step, state] of [1, 2, 3, 3, 4, 5, 6, 6, 6].entries())
        await putStep(jobId, step, state, step === 3 ? { cache_time: 'muster_now()' } : {});
      await putStep(randomUUID(), 0, 2);
      const counts = { WAITING: 1, RUNNING: 1, SUCCEEDED: 2, FAILED: 1, UPSTREAM_FAILED: 1, SKIPPED: 3 };
      expect(await context.store.workflowReads.readRun(jobId)).toEqual({ phase, counts, cached: 1 });
    });

    it('returns the states of the steps before one, in their order', async () => {
      const jobId = randomUUID();
      for (const [step, state] of [
        [7, 6],
        [0, 3],
        [2, 2],
        [1, 4],
      ] as const)
        await putStep(jobId, step, state);
      expect(await context.store.workflowReads.readStates(jobId, 0)).toEqual([
        { step: 1, state: 'FAILED' },
        { step: 2, state: 'RUNNING' },
        { step: 7, state: 'SKIPPED' },
      ]);
    });

    it('returns steps with the times of their jobs', async () => {
      const jobId = randomUUID();
      const { jobId: ended } = await putRun(context, 'SUCCEEDED');
      const { jobId: open } = await putRun(context, 'READY');
      const [itemId = ''] = await submitMany(context, await makeLane(context), 1);
      await putStep(jobId, 0, 3, { child_job_id: `'${ended}'`, iteration: '3' });
      await putStep(jobId, 1, 2, { child_job_id: `'${open}'` });
      await putStep(jobId, 2, 2, { fan_out: `'${JSON.stringify(counted)}'` });
      await putStep(jobId, 3, 6, { reason: `repeat('x', 2000)` });
      await putStep(jobId, 4, 3, { child_job_id: `'${ended}'`, cache_time: "'2026-11-25 12:00:30Z'" });
      await adopt(itemId, jobId, 2);
      const steps = await context.store.workflowReads.readSteps(jobId, [3, 0, 1, 2, 4, 9]);
      const [first, second, third, fourth, fifth] = steps.toSorted((a, b) => a.step - b.step);
      const views = await Promise.all([ended, open, itemId].map((id) => context.store.readJob('default', id)));
      const [endedView, openView, itemView] = views;
      expect(steps).toHaveLength(5);
      expect(first).toMatchObject({ step: 0, state: 'SUCCEEDED', childId: ended, iteration: 3, reason: undefined });
      expect([first?.startTimeUs, first?.endTimeUs]).toEqual([endedView?.createTimeUs, endedView?.endTimeUs]);
      expect([second?.startTimeUs, second?.endTimeUs]).toEqual([openView?.createTimeUs, undefined]);
      expect(third).toMatchObject({ fanOut: counted, childId: undefined, startTimeUs: itemView?.createTimeUs });
      expect(fourth).toMatchObject({ state: 'SKIPPED', reason: 'x'.repeat(1_024), startTimeUs: undefined });
      const takenUs = Date.parse('2026-11-25T12:00:30Z') * 1_000;
      expect(fifth).toMatchObject({ cached: true, childId: ended, startTimeUs: takenUs, endTimeUs: takenUs });
      expect(steps.filter(({ cached }) => cached)).toHaveLength(1);
    });
  });

  describe('a workflow waits for a person or an event', () => {
    /** A job of a workflow in this state. */
    async function child(
      state: 'BLOCKED' | 'READY' | 'RUNNING' | 'WAITING' | 'PAUSED',
      parentId: string = randomUUID(),
    ) {
      const { jobId } = await putRun(context, state);
      await sql(context, `UPDATE job_runs SET parent_job_id = '${parentId}', step = 0 WHERE job_id = '${jobId}'`);
      return { jobId, waits: () => context.store.workflowReads.hasWaiting(parentId) };
    }
    const runAsWorkflow = (jobId: string) =>
      sql(context, `INSERT INTO workflow_runs VALUES ('${jobId}', 1, 1, 0, 0, 0, false, false, NULL)`);

    it.each([
      ['BLOCKED', true],
      ['PAUSED', true],
      // A wait for a signal or an approval.
      ['WAITING', true],
      ['READY', false],
      ['RUNNING', false],
    ] as const)('with a job that is %s: %j', async (state, waits) => {
      expect(await (await child(state)).waits()).toBe(waits);
    });

    it('only if a job does, and not if one waits for its own jobs', async () => {
      const workflow = await child('WAITING');
      await runAsWorkflow(workflow.jobId);
      const task = await child('WAITING');
      await sql(context, `UPDATE job_runs SET attempt = 1 WHERE job_id = '${task.jobId}'`);
      expect([await workflow.waits(), await task.waits()]).toEqual([false, false]);
      await child('RUNNING', workflow.jobId);
      expect(await workflow.waits()).toBe(false);
      await child('PAUSED', workflow.jobId);
      expect(await workflow.waits()).toBe(true);
    });

    it('not for a job that its parent does not wait for', async () => {
      const { jobId, waits } = await child('PAUSED');
      await sql(context, `UPDATE job_runs SET step = -2 WHERE job_id = '${jobId}'`);
      expect(await waits()).toBe(false);
    });

    it('not without jobs', async () => {
      expect(await context.store.workflowReads.hasWaiting(randomUUID())).toBe(false);
    });
  });

  it('the jobs of a workflow are listed, newest first, page by page, and no others', async () => {
    const parentJobId = randomUUID();
    const ids = (await submitMany(context, await makeLane(context), 5)).sort();
    for (const [i, jobId] of ids.slice(1).entries()) await adopt(jobId, parentJobId, 1, i);
    const query = { namespace: 'default', filter: { ...everyJob, parentJobId }, limit: 3, scanLimit: 100 };
    const first = await context.store.listJobs({ ...query, beforeJobId: undefined });
    const second = await context.store.listJobs({ ...query, beforeJobId: first.nextBeforeJobId });
    expect([first, second].map((page) => page.jobs.map(({ jobId }) => jobId))).toEqual([
      ids.slice(2).reverse(),
      [ids[1]],
    ]);
    expect(second.nextBeforeJobId).toBeUndefined();
    expect(first.jobs[0]?.parentJobId).toBe(parentJobId);
  });
}
