/** The stored state of workflows, the reads of their steps' jobs, and the counts of their lanes. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail, end } from '../../../../../server/domain/jobs/decide.ts';
import type { WrittenCompensation, WrittenRun, WrittenStep } from '../../../../../server/engine/ports/workflows.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, makeLane, only, payload } from '../../../../support/store/store-fixtures.ts';
import {
  cancelOne,
  changeOne,
  holdChildren,
  lockAll,
  makeCompensation,
  makeStep,
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

export function workflowRowsSuite(context: StoreContext): void {
  const cancel = (jobId: string) => cancelOne(context, jobId);

  describe('the stored state of a workflow', () => {
    it('is read as it was written, after each write', async () => {
      const jobId = await startWorkflow(context);
      const runs: readonly WrittenRun['run'][] = [
        { phase: 'WORK', running: 0, ended: 0, stopReason: 'NO', failed: false, cleanupFailed: false, compensable: 0 },
        {
          phase: 'ON_FAILURE',
          running: 3,
          ended: 10_000,
          stopReason: 'FAILED',
          failed: true,
          cleanupFailed: false,
          compensable: 0,
        },
        {
          phase: 'FINALLY',
          running: 1,
          ended: 2,
          stopReason: 'CANCELLED',
          failed: false,
          cleanupFailed: true,
          compensable: 0,
        },
        {
          phase: 'COMPENSATION',
          running: 1,
          ended: 1,
          stopReason: 'NO',
          failed: true,
          cleanupFailed: false,
          compensable: 7,
        },
        {
          phase: 'WORK',
          running: 5,
          ended: 6,
          stopReason: 'TIMED_OUT',
          failed: false,
          cleanupFailed: false,
          compensable: 0,
        },
      ];
      for (const [i, run] of runs.entries()) {
        const failed = i === 2 ? undefined : failure;
        const notUndone = i === 3 ? 'step "a" is not' : undefined;
        const written = { jobId, depth: i + 1, run, failure: failed, notUndone };
        await context.store.workflows.write({ runs: [written], steps: [], compensations: [] });
        const { depth, run: found, failure: why, ...rest } = only(await lockAll(context, [jobId]));
        expect({ depth, run: found }).toEqual({ depth: i + 1, run });
        expect(rest.notUndone).toBe(notUndone);
        expect(JSON.stringify(why)).toBe(JSON.stringify(failed && { ...failed, details: { ...failed.details } }));
      }
    });

    it('is read as it was written for compensations, the last to end first among those that wait', async () => {
      const { workflows } = context.store;
      const [jobId, other] = [randomUUID(), randomUUID()];
      const write = (compensations: readonly WrittenCompensation[]) =>
        workflows.write({ runs: [], steps: [], compensations });
      const all = [5, 3, 9, 7].map((endNumber, step) => makeCompensation(jobId, step, { endNumber }));
      await write([...all, makeCompensation(other, 2, { endNumber: 20 })]);
      const bySteps = (one: WrittenCompensation, another: WrittenCompensation) => one.step - another.step;
      expect((await workflows.readCompensationsOf(jobId)).sort(bySteps)).toEqual(all);
      expect(await workflows.readNextCompensation(jobId, undefined)).toEqual(all[2]);
      expect(await workflows.readNextCompensation(jobId, 7)).toEqual(all[0]);
      const states = ['SUCCEEDED', 'RUNNING', 'FAILED', 'WAITING'] as const;
      const later = all.map((one, i) =>
        Object.assign(one, { state: states[i], compensationId: randomUUID(), reason: `why ${i}` }),
      );
      await write(later);
      const keys = [0, 1, 2, 3, 4].map((step) => ({ jobId, step }));
      expect((await workflows.readCompensations(keys)).sort(bySteps)).toEqual(later);
      expect(await workflows.readNextCompensation(jobId, undefined)).toEqual(later[3]);
      expect(await workflows.readNextCompensation(jobId, 7)).toBeUndefined();
    });

    it('is read as it was written for steps, after each write', async () => {
      const [jobId, other] = [randomUUID(), randomUUID()];
      const fanOut = { size: 100_000, started: 5, succeeded: 3, failed: 1, late: 2, ruleCounts: [3, 0] };
      const counts = { succeeded: 10_000, failed: 2, upstreamFailed: 3, skipped: 4 };
      const full = {
        counts,
        neededItems: { added: 999_990_000, succeeded: 7, failed: 100_000, upstreamFailed: 1, skipped: 0 },
        childId: randomUUID(),
        iteration: 7,
        fanOut,
        reason: 'why "not" \\',
        adoptedFrom: randomUUID(),
        skipReason: 'not "now"',
        cacheKey: Buffer.from([0, 255, 7]),
        cacheTimeUs: 1_795_000_000_000_001,
      };
      const states = ['WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UPSTREAM_FAILED', 'SKIPPED'] as const;
      const steps: WrittenStep[] = states.map((state, step) => makeStep(jobId, step, { state, ...(step > 0 && full) }));
      const write = (written: readonly WrittenStep[]) =>
        context.store.workflows.write({ runs: [], steps: written, compensations: [] });
      await write([...steps, makeStep(other, 1)]);
      const keys = [...steps, { jobId, step: 6 }].map(({ step }) => ({ jobId, step }));
      const read = async () => (await context.store.workflows.readSteps(keys)).sort((a, b) => a.step - b.step);
      expect(await read()).toEqual(steps);
      const turned = steps.map((step, i) => ({ ...(steps[5 - i] as WrittenStep), step: step.step }));
      await write(turned);
      expect(await read()).toEqual(turned);
      expect(await context.store.workflows.readSteps([{ jobId: other, step: 1 }])).toEqual([makeStep(other, 1)]);
    });

    it('has the result if it succeeded', async () => {
      const [jobId, failed] = [await startWorkflow(context), await startWorkflow(context)];
      await changeOne(context, jobId, succeed);
      await changeOne(context, failed, (run) => end('finish', run, 'FAILED', { failure }));
      const result = { ...payload('done'), metadata: { a: 'b' } };
      const outcomes = await context.store.workflows.readOutcomes([jobId]);
      expect(outcomes).toEqual([
        { jobId, state: 'SUCCEEDED', result: { ...result, data: Buffer.from(result.data) }, failure: undefined },
      ]);
      const view = await context.store.readJob('default', jobId);
      expect(view?.state).toBe('SUCCEEDED');
      expect((await context.store.readJob('default', failed))?.failure?.message).toBe(failure.message);
    });
  });

  describe('the count of a lane', () => {
    const counts = async (laneId: number) => {
      const rows = await sql(
        context,
        `SELECT state, sum(jobs)::int AS jobs FROM (SELECT lane_id, state, jobs FROM lane_counts
         UNION ALL SELECT lane_id, state, jobs FROM lane_count_changes) AS c WHERE lane_id = ${laneId} GROUP BY state HAVING sum(jobs) <> 0`,
      );
      return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
    };

    it('has a workflow as WAITING until it ends, also while it is cancelled', async () => {
      const laneId = await makeLane(context);
      const [one, two] = [await startWorkflow(context, { laneId }), await startWorkflow(context, { laneId })];
      expect(await counts(laneId)).toEqual({ 7: 2 });
      await cancel(one);
      expect(await counts(laneId)).toEqual({ 7: 2 });
      await changeOne(context, one, (run) => end('finish', run, 'CANCELLED', { failure }));
      expect(await counts(laneId)).toEqual({ 7: 1 });
      await changeOne(context, two, succeed);
      expect(await counts(laneId)).toEqual({});
    });

    it('has any other cancelled job among those that sessions hold', async () => {
      const [held] = await holdChildren(context, randomUUID(), 1, 1);
      await cancel(held?.jobId as string);
      expect(await counts(held?.laneId as number)).toEqual({ 5: 1 });
      await context.store.complete([completionOf(held as never)]);
      expect(await counts(held?.laneId as number)).toEqual({});
    });
  });

  describe('the read of a step’s jobs', () => {
    it('returns how they ended', async () => {
      const [done, failed, open] = await holdChildren(context, randomUUID(), 1, 3);
      if (!done || !failed || !open) throw new Error('three jobs were submitted');
      await context.store.complete([completionOf(done, 'r')]);
      await context.store.change({ by: 'attempts', attempts: [failed] }, (run, nowUs) =>
        decideFail(run, failure, lastTry, moment(nowUs)),
      );
      const ids = [done, failed, open].map(({ jobId }) => jobId);
      const found = await context.store.workflows.readOutcomes([...ids, randomUUID()]);
      const byId = new Map(found.map((outcome) => [outcome.jobId, outcome]));
      expect([...byId.keys()].sort()).toEqual([done.jobId, failed.jobId].sort());
      expect(byId.get(done.jobId)).toMatchObject({ state: 'SUCCEEDED', failure: undefined });
      expect(byId.get(failed.jobId)).toMatchObject({ state: 'FAILED', result: undefined });
      expect(byId.get(failed.jobId)?.failure).toMatchObject({ type: 'Oops', details: { contentType: 'x' } });
    });

    it('returns the results of a fan-out in the order of its items, up to a bound', async () => {
      const jobId = randomUUID();
      const [zero, one, two, three] = await holdChildren(context, jobId, 1, 4);
      const [other] = await holdChildren(context, jobId, 2, 1);
      if (!zero || !one || !two || !three || !other) throw new Error('five jobs were submitted');
      const read = (maxBytes: number) => context.store.workflows.readItemResults({ jobId, step: 1 }, maxBytes);
      expect(await read(0)).toEqual([]);
      for (const [job, text] of [
        [three, 'ddd'],
        [zero, 'a'],
        [two, 'cc'],
        [other, 'x'.repeat(100)],
      ] as const)
        await context.store.complete([completionOf(job, text)]);
      await context.store.change({ by: 'attempts', attempts: [one] }, (run, nowUs) =>
        decideFail(run, failure, lastTry, moment(nowUs)),
      );
      const found = (await read(6))?.map(({ item, result }) => [
        item,
        Buffer.from(result.data).toString(),
        result.contentType,
      ]);
      expect(found).toEqual([
        [0, 'a', 'text/plain'],
        [2, 'cc', 'text/plain'],
        [3, 'ddd', 'text/plain'],
      ]);
      expect(await read(5)).toBeUndefined();
    });

    it('returns the open ones without a cancel request, of one step or several, the last first', async () => {
      const jobId = await startWorkflow(context);
      const first = await holdChildren(context, jobId, 0, 2);
      const [last, middle, early] = (await startChildren(context, jobId, 1, 3)).ids.sort().reverse();
      await startChildren(context, randomUUID(), 1, 1);
      const open = (step: number | undefined, limit = 10, butSteps: readonly number[] = []) =>
        context.store.workflows.readOpenChildren({ jobId, step, butSteps }, limit);
      const [kept, stopped] = first.map((job) => job.jobId).sort();
      expect(await open(undefined)).toEqual([last, middle, early, stopped, kept]);
      await cancel(stopped as string);
      await cancel(middle as string);
      expect(await open(undefined)).toEqual([last, early, kept]);
      expect(await open(undefined, 10, [1, 7])).toEqual([kept]);
      expect(await open(0)).toEqual([kept]);
      expect(await open(1)).toEqual([last, early]);
      expect(await open(1, 1)).toEqual([last]);
      expect(await open(2)).toEqual([]);
    });
  });
}
