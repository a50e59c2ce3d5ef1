/** Jobs as the source of their spans. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail } from '../../../../../server/domain/jobs/decide.ts';
import { type JobState, stateCodes } from '../../../../../server/domain/jobs/job-state.ts';
import type { WrittenStep } from '../../../../../server/engine/ports/workflows.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import { holdOne, makeCall, makeJob, makeLane } from '../../../../support/store/store-fixtures.ts';
import { putRun } from '../../../../support/store/store-states.ts';
import {
  changeOne,
  makeStep,
  startChildren,
  startWorkflow,
  succeed,
} from '../../../../support/store/store-workflows.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const states = Object.keys(stateCodes) as JobState[];

export function tracesSuite(context: StoreContext): void {
  describe('the trace of a job', () => {
    it.each(states)('matches the job as users see it, %s', async (state) => {
      const { jobId } = await putRun(context, state);
      const view = await context.store.readJob('default', jobId);
      const [traced, ...others] = await context.store.readTracedJobs([jobId, randomUUID()]);
      expect(others).toEqual([]);
      const { namespace, definition, definitionVersion, queue, createTimeUs, endTimeUs } = view ?? {};
      expect(traced).toMatchObject({ jobId, traceparent: '', retryOf: undefined, state });
      expect(traced).toMatchObject({ namespace, definition, definitionVersion, queue, createTimeUs, endTimeUs });
      expect(traced?.errorType).toBe(view?.failure?.type ?? '');
      const seen = view?.attempts.map(({ failure, ...attempt }) => ({ ...attempt, errorType: failure?.type ?? '' }));
      expect(traced?.attempts).toEqual(seen);
    });

    it('has every attempt, with its failure', async () => {
      const held = await holdOne(context);
      const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
      await context.store.change({ by: 'attempts', attempts: [held] }, (run, nowUs) =>
        decideFail(run, failure, definitionDefaults.retryPolicy, { nowUs, random: 0 }),
      );
      const [traced] = await context.store.readTracedJobs([held.jobId]);
      expect(traced?.attempts).toMatchObject([{ attempt: 1, outcome: 'FAILED', errorType: 'Oops', counted: true }]);
      expect(traced?.attempts[0]?.endTimeUs).toBeGreaterThanOrEqual(traced?.attempts[0]?.assignTimeUs ?? Infinity);
    });

    it('begins at its caller, and links the job that it retries, as long as that exists', async () => {
      const laneId = await makeLane(context);
      const first = makeJob(laneId, { traceparent: TRACEPARENT });
      const again = makeJob(laneId, { retryOf: first.jobId });
      const orphan = makeJob(laneId, { retryOf: randomUUID() });
      await context.store.submit([makeCall([first, again, orphan])], new Map());
      const ids = [first, again, orphan].map(({ jobId }) => jobId);
      const origin = { jobId: first.jobId, traceparent: TRACEPARENT };
      const origins = await context.store.readTraceOrigins([...ids, randomUUID()]);
      expect(origins).toHaveLength(3);
      expect(origins).toContainEqual(origin);
      expect(origins).toContainEqual({ jobId: again.jobId, traceparent: '' });
      const traced = await context.store.readTracedJobs(ids);
      const retried = ids.map((id) => traced.find(({ jobId }) => jobId === id)?.retryOf);
      expect(retried).toEqual([undefined, origin, undefined]);
      expect(traced.find(({ jobId }) => jobId === first.jobId)).toMatchObject(origin);
    });

    it('names its step, and the jobs of requested steps', async () => {
      const [workflow, other] = [await startWorkflow(context), await startWorkflow(context)];
      const single = await startChildren(context, workflow, 0, 2);
      const items = await startChildren(context, workflow, 3, 5);
      const [childId = ''] = single.ids.slice(1);
      const fanOut = { size: 5, started: 5, succeeded: 0, failed: 0, late: 0, ruleCounts: [] };
      const steps = [
        makeStep(workflow, 0, { state: 'RUNNING', childId }),
        makeStep(workflow, 1, { state: 'SKIPPED' }),
        makeStep(workflow, 3, { state: 'RUNNING', fanOut }),
        makeStep(other, 0, { state: 'SUCCEEDED', childId, adoptedFrom: workflow }),
        makeStep(other, 3, { state: 'SUCCEEDED', fanOut, adoptedFrom: workflow }),
      ];
      await context.store.workflows.write({ runs: [], steps, compensations: [] });
      const [traced] = await context.store.readTracedJobs([items.ids[2] as string]);
      expect(traced?.step).toEqual({ workflowJobId: workflow, step: 3 });
      expect((await context.store.readTracedJobs([workflow]))[0]?.step).toBeUndefined();
      const { stepTraces } = context.store;
      expect([...(await stepTraces.readLaneIds([workflow, randomUUID()])).keys()]).toEqual([workflow]);
      for (const workflowJobId of [workflow, other]) {
        const need = (step: number, most = 3) => ({ of: `${step}`, workflowJobId, step, most });
        const found = await stepTraces.readNeededJobs([need(3), need(0), need(1), need(2)]);
        expect(found.map(({ of, jobId }) => `${of} ${jobId}`)).toEqual([
          ...items.ids.slice(0, 3).map((jobId) => `3 ${jobId}`),
          `0 ${childId}`,
        ]);
        expect(await stepTraces.readNeededJobs([need(3, 100)])).toHaveLength(5);
      }
      expect(await stepTraces.readNeededJobs([])).toEqual([]);
    });

    it('of a workflow links the jobs whose results its steps took, as long as they exist, up to 100', async () => {
      const laneId = await makeLane(context);
      const earlier = makeJob(laneId, { traceparent: TRACEPARENT });
      await context.store.submit([makeCall([earlier])], new Map());
      const jobId = await startWorkflow(context);
      const taken = (step: number, childId: string) =>
        makeStep(jobId, step, { state: 'SUCCEEDED', childId, cacheTimeUs: 1 });
      const write = (steps: WrittenStep[]) => context.store.workflows.write({ runs: [], steps, compensations: [] });
      await write([taken(0, earlier.jobId), taken(1, randomUUID()), makeStep(jobId, 2, { childId: earlier.jobId })]);
      const cached = async () => (await context.store.readTracedJobs([jobId]))[0]?.cached;
      expect(await cached()).toEqual([]);
      await changeOne(context, jobId, succeed);
      expect(await cached()).toEqual([{ jobId: earlier.jobId, traceparent: TRACEPARENT }]);
      await write(Array.from({ length: 150 }, (_, i) => taken(i, earlier.jobId)));
      expect(await cached()).toHaveLength(100);
    });
  });
}
