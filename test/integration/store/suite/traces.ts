/** Jobs as their spans are drawn from them. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decideFail } from '../../../../server/domain/decide.ts';
import { definitionDefaults } from '../../../../server/domain/definition.ts';
import { type JobState, stateCodes } from '../../../../server/domain/job-state.ts';
import { systemFailure } from '../../../../server/domain/payload.ts';
import type { StoreContext } from '../../../support/store-context.ts';
import { holdOne, makeCall, makeJob, makeLane } from '../../../support/store-fixtures.ts';
import { putRun } from '../../../support/store-states.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const states = Object.keys(stateCodes) as JobState[];

export function tracesSuite(context: StoreContext): void {
  describe('the trace of a job', () => {
    it.each(states)('is drawn from what people see of it, %s', async (state) => {
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

    it('has every attempt, and why those failed', async () => {
      const held = await holdOne(context);
      const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
      await context.store.change({ by: 'attempts', attempts: [held] }, (run, nowUs) =>
        decideFail(run, failure, definitionDefaults.retryPolicy, { nowUs, random: 0 }),
      );
      const [traced] = await context.store.readTracedJobs([held.jobId]);
      expect(traced?.attempts).toMatchObject([{ attempt: 1, outcome: 'FAILED', errorType: 'Oops', counted: true }]);
      expect(traced?.attempts[0]?.endTimeUs).toBeGreaterThanOrEqual(traced?.attempts[0]?.assignTimeUs ?? Infinity);
    });

    it('begins where its caller is, and knows the job that it retries, as long as that is there', async () => {
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
  });
}
