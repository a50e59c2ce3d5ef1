/** The stored state of a workflow and its steps is deleted with the workflow's job. */

import { beforeEach, describe, expect, it } from 'vitest';
import type { NewJob } from '../../../../server/engine/ports/submissions.ts';
import { storeKinds } from '../../../support/databases/databases.ts';
import { moveClock } from '../../../support/store/store-clock.ts';
import { emptyTables, sql, useStore } from '../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  makeLane,
  newJobId,
  only,
  openWorker,
  submitMany,
} from '../../../support/store/store-fixtures.ts';
import {
  changeOne,
  makeCompensation,
  makeStep,
  startedRun,
  startWorkflow,
  succeed,
} from '../../../support/store/store-workflows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Moves from now to noon of yesterday: that time and two hours later are on one day, so no day is dropped as a whole.
 */
const toNoonMs = () => Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2 - Date.now();

describe.each(storeKinds)('retention of workflows on %s', (kind) => {
  const context = useStore(kind);
  const clearAll = () => context.store.clearExpired();
  const countOf = async (table: string) =>
    only(await sql(context, `SELECT count(*)::int AS n FROM ${table}`)).n as number;

  const kept = async (ids: string[]) =>
    (await sql(context, `SELECT job_id FROM jobs WHERE job_id IN ('${ids.join("', '")}')`)).map(({ job_id }) => job_id);

  async function endedChild(ms: number, parent: NewJob['parent']): Promise<string> {
    const laneId = await makeLane(context);
    const jobId = only(await submitMany(context, laneId, 1, { jobId: newJobId(ms), parent }));
    const { sessionId } = await openWorker(context);
    const held = only(await claimMany(context, laneId, sessionId, 1));
    await context.store.complete([completionOf(held)]);
    return jobId;
  }

  beforeEach(async () => {
    await moveClock(context, 0);
    await emptyTables(context);
    await sql(context, 'TRUNCATE retentions');
  });

  it('deletes what is stored of a workflow and its steps, and nothing of another one', async () => {
    await sql(context, `INSERT INTO retentions VALUES ('default', '', ${HOUR_MS})`);
    const noonMs = toNoonMs();
    await moveClock(context, noonMs);
    const atNoon = () => startWorkflow(context, { jobId: newJobId(Date.now() + noonMs) });
    const [gone, open] = [await atNoon(), await atNoon()];
    await context.store.workflows.write({
      runs: [gone, open].map((jobId) => ({
        jobId,
        depth: 1,
        run: startedRun,
        failure: undefined,
        notUndone: undefined,
      })),
      steps: [makeStep(gone, 1), makeStep(gone, 2), makeStep(open, 1)],
      compensations: [makeCompensation(gone, 1), makeCompensation(gone, 2), makeCompensation(open, 1)],
    });
    await changeOne(context, gone, succeed);
    await clearAll();
    expect([await countOf('workflow_runs'), await countOf('workflow_steps')]).toEqual([2, 3]);
    await moveClock(context, noonMs + 2 * HOUR_MS);
    expect(await clearAll()).toMatchObject({ jobs: 1, rows: 0 });
    for (const table of ['workflow_runs', 'workflow_steps', 'step_compensations'])
      expect(await sql(context, `SELECT job_id FROM ${table}`)).toEqual([{ job_id: open }]);
  });

  it('deletes what is left if the job does not exist', async () => {
    const [past, kept] = [newJobId(Date.now() - 20 * DAY_MS), await startWorkflow(context)];
    await context.store.workflows.write({
      runs: [past, kept].map((jobId) => ({
        jobId,
        depth: 1,
        run: startedRun,
        failure: undefined,
        notUndone: undefined,
      })),
      steps: [past, kept].map((jobId) => makeStep(jobId, 1)),
      compensations: [past, kept].map((jobId) => makeCompensation(jobId, 1)),
    });
    await clearAll();
    for (const table of ['workflow_runs', 'workflow_steps', 'step_compensations'])
      expect(await sql(context, `SELECT job_id FROM ${table}`)).toEqual([{ job_id: kept }]);
  });

  it('keeps the jobs of its steps while it is open: by pages, and by days', async () => {
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    for (const longestMs of [60 * DAY_MS, HOUR_MS]) {
      await emptyTables(context);
      await sql(context, 'TRUNCATE retentions');
      await sql(context, `INSERT INTO retentions VALUES ('default', '', ${HOUR_MS}), ('longest', '', ${longestMs})`);
      const thenMs = today - 20 * DAY_MS + HOUR_MS;
      await moveClock(context, thenMs - Date.now());
      const workflow = await startWorkflow(context, { jobId: newJobId(thenMs) });
      await context.store.workflows.write({
        runs: [{ jobId: workflow, depth: 1, run: startedRun, failure: undefined, notUndone: undefined }],
        steps: [makeStep(workflow, 1)],
        compensations: [],
      });
      const child = await endedChild(thenMs + 1, { jobId: workflow, step: 1, item: 0 });
      const other = await endedChild(thenMs + 2, undefined);
      await moveClock(context, 0);
      await clearAll();
      expect(await kept([child, other])).toEqual([child]);
      await changeOne(context, workflow, succeed);
      await moveClock(context, 2 * HOUR_MS);
      await clearAll();
      expect(await kept([child, workflow])).toEqual([]);
    }
  });

  it('keeps a job whose result a step took while that step’s workflow is open: by pages, and by days', async () => {
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    for (const longestMs of [60 * DAY_MS, HOUR_MS]) {
      await emptyTables(context);
      await sql(context, 'TRUNCATE retentions');
      await sql(context, `INSERT INTO retentions VALUES ('default', '', ${HOUR_MS}), ('longest', '', ${longestMs})`);
      const thenMs = today - 20 * DAY_MS + HOUR_MS;
      await moveClock(context, thenMs - Date.now());
      const [taken, other] = [await endedChild(thenMs + 1, undefined), await endedChild(thenMs + 2, undefined)];
      const workflow = await startWorkflow(context, { jobId: newJobId(thenMs + 3) });
      await context.store.workflows.write({
        runs: [{ jobId: workflow, depth: 1, run: startedRun, failure: undefined, notUndone: undefined }],
        steps: [makeStep(workflow, 1, { state: 'SUCCEEDED', childId: taken, cacheTimeUs: thenMs * 1_000 })],
        compensations: [],
      });
      await moveClock(context, 0);
      await clearAll();
      expect(await kept([taken, other])).toEqual([taken]);
      await changeOne(context, workflow, succeed);
      await moveClock(context, 2 * HOUR_MS);
      await clearAll();
      expect(await kept([taken, workflow])).toEqual([]);
    }
  });

  it('keeps jobs whose results a retry took over while that is open: by pages, and by days', async () => {
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    for (const longestMs of [60 * DAY_MS, HOUR_MS]) {
      await emptyTables(context);
      await sql(context, 'TRUNCATE retentions');
      await sql(context, `INSERT INTO retentions VALUES ('default', '', ${HOUR_MS}), ('longest', '', ${longestMs})`);
      const thenMs = today - 20 * DAY_MS + HOUR_MS;
      await moveClock(context, thenMs - Date.now());
      const failed = newJobId(thenMs);
      const child = (step: number, item: number) => endedChild(thenMs + 1 + item, { jobId: failed, step, item });
      const taken = [await child(1, 0), await child(2, 0), await child(2, 1)];
      const others = [await child(3, 0), await child(10_001, 0)];
      const retry = await startWorkflow(context, { jobId: newJobId(thenMs + 10), retryOf: failed });
      const ended = await startWorkflow(context, { jobId: newJobId(thenMs + 11), retryOf: failed });
      const fanOut = { size: 2, started: 2, succeeded: 2, failed: 0, late: 0, ruleCounts: [] };
      const adopted = { state: 'SUCCEEDED', adoptedFrom: failed } as const;
      await context.store.workflows.write({
        runs: [{ jobId: retry, depth: 1, run: startedRun, failure: undefined, notUndone: undefined }],
        steps: [
          makeStep(retry, 1, { ...adopted, childId: taken[0] }),
          makeStep(retry, 2, { ...adopted, fanOut }),
          makeStep(ended, 3, { ...adopted, childId: others[0] }),
        ],
        compensations: [],
      });
      await changeOne(context, ended, succeed);
      await moveClock(context, 0);
      await clearAll();
      expect((await kept([...taken, ...others])).sort()).toEqual(taken.toSorted());
      await changeOne(context, retry, succeed);
      await moveClock(context, 2 * HOUR_MS);
      await clearAll();
      expect(await kept([...taken, retry])).toEqual([]);
    }
  });

  it('deletes cached results of steps when their time is over or their job is deleted', async () => {
    const [past, jobId] = [newJobId(Date.now() - 20 * DAY_MS), await endedChild(Date.now(), undefined)];
    const keys = ['old', 'gone', 'good'].map((text) => Buffer.from(text));
    const keep = (keyHash: Uint8Array, of: string, maxAgeMs: number) =>
      context.store.stepCache.keep([{ namespace: 'default', keyHash, jobId: of, maxAgeMs }]);
    await keep(keys[0] as Buffer, jobId, HOUR_MS);
    await keep(keys[1] as Buffer, past, 100 * HOUR_MS);
    await keep(keys[2] as Buffer, jobId, 100 * HOUR_MS);
    const left = async () =>
      (await sql(context, 'SELECT key_hash FROM step_cache')).map((row) => `${Buffer.from(row.key_hash)}`);
    await clearAll();
    expect((await left()).sort()).toEqual(['good', 'old']);
    await moveClock(context, 2 * HOUR_MS);
    await clearAll();
    expect(await left()).toEqual(['good']);
  });
});
