/** Retries of workflows: which results they take over, and which not. */

import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import {
  type Flows,
  type Place,
  plays,
  resultOf,
  type Step,
  StepRole,
  startOn,
  stateName,
  TriggerRule,
} from './flows.ts';

describe.each(databaseKinds)('retries of workflows on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const retried = async (jobId: string) => flows.ended((await flows.client.retry(jobId)).jobId);
  const startsUnder = async (jobId: string) => flows.startsOf(await flows.children(jobId)).sort();
  const stepsOf = async (jobId: string) =>
    Object.fromEntries((await flows.client.listWorkflowSteps(jobId)).steps.map((step) => [step.name, step]));

  /** A step that fails until `mend` was called with its name. */
  const failing = (name: string, more: Partial<Step> = {}): Step => ({ name, definition: broken(name), ...more });
  const broken = (name: string) => `${name}-${tag}`;
  let tag = '';
  let runs = 0;
  /** Applies new definitions of these names, which fail. */
  const begin = async (...names: string[]) => {
    tag = `${kind}-${++runs}`.toLowerCase();
    for (const name of names) await flows.apply(broken(name), [{ name, input: plays(name, { fail: 'not yet' }) }]);
  };
  const mend = (name: string) => flows.apply(broken(name), [{ name }]);

  describe('of a loop', () => {
    /** A workflow that is cancelled during the second iteration of its loop. */
    const cutIn2 = async (loop: Step['loop'], as: string) => {
      const input = `{"as": "${as}", "give": iteration, "hold": iteration == 1 ? "${as}" : "${as}-free", "deaf": true}`;
      flows.reopen(`${as}-free`);
      const undo = { definition: 'play', input: `{"as": "${as}-undo"}` };
      const steps: Step[] = [
        { name: 'again', loop, input, ...(as.startsWith('undone') ? { compensation: undo } : {}) },
        { name: 'next', needs: ['again'], input: '{"give": steps.again.output}' },
      ];
      const jobId = await flows.submit(await flows.define(steps));
      await flows.hasStarted(as, 2);
      await flows.client.cancel(jobId);
      flows.reopen(as);
      expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
      return jobId;
    };

    it('run all its iterations again if it was cut short', async () => {
      const as = flows.name('cut');
      const jobId = await cutIn2({ repeatCondition: 'output < 3', maxIterations: 9 }, as);
      const { again } = await stepsOf(jobId);
      expect(again).toMatchObject({
        state: StepState.SUCCEEDED,
        reason: 'cut short after 2 passes: its loop still holds',
      });
      expect(resultOf(await retried(jobId))).toEqual({ next: 3 });
      expect(flows.startsAs(as)).toHaveLength(6);
    });

    it('take it over if it was in its last iteration', async () => {
      const as = flows.name('whole');
      const jobId = await cutIn2({ repeatCondition: 'output < 1', maxIterations: 9 }, as);
      expect((await stepsOf(jobId)).again).toMatchObject({ state: StepState.SUCCEEDED, reason: '' });
      expect(resultOf(await retried(jobId))).toEqual({ next: 1 });
      expect(flows.startsAs(as)).toHaveLength(2);
    });

    it('find it compensated although it was cut short', async () => {
      const as = flows.name('undone');
      const jobId = await cutIn2({ repeatCondition: 'output < 3', maxIterations: 9 }, as);
      expect(flows.startsAs(`${as}-undo`)).toHaveLength(1);
      expect(resultOf(await retried(jobId))).toEqual({ next: 3 });
    });
  });

  describe('run steps again', () => {
    it('behind a step that runs again, through any rule', async () => {
      await begin('bad', 'worse');
      const name = await flows.define([
        { name: 'good' },
        failing('bad', { needs: ['good'] }),
        { name: 'join', needs: ['good', 'bad'], triggerRule: TriggerRule.ALL_DONE },
        { name: 'after', needs: ['join'] },
        { name: 'remedy', needs: ['bad'], triggerRule: TriggerRule.ONE_FAILED },
        { name: 'nearby', needs: ['good'] },
        failing('worse', { needs: ['after', 'remedy', 'nearby'] }),
      ]);
      const failed = await flows.ended(await flows.submit(name));
      expect(stateName(failed.state)).toBe('FAILED');
      expect(await startsUnder(failed.jobId)).toEqual(['after', 'good', 'join', 'nearby', 'remedy']);
      await mend('bad');
      await mend('worse');
      const second = await retried(failed.jobId);
      expect(await startsUnder(second.jobId)).toEqual(['after', 'join']);
      const steps = await stepsOf(second.jobId);
      expect(steps.remedy?.state).toBe(StepState.SKIPPED);
      expect(steps.nearby?.reason).toBe(`adopted from ${failed.jobId}`);
    });

    it('but not behind a step that its condition switches off again', async () => {
      await begin('bad');
      const name = await flows.define([
        { name: 'off', condition: 'false' },
        { name: 'on', needs: ['off'], triggerRule: TriggerRule.NONE_FAILED },
        failing('bad', { needs: ['on'] }),
      ]);
      const failed = await flows.ended(await flows.submit(name));
      await mend('bad');
      const second = await retried(failed.jobId);
      expect(stateName(second.state)).toBe('SUCCEEDED');
      expect((await stepsOf(second.jobId)).on?.reason).toBe(`adopted from ${failed.jobId}`);
    });

    it('also if they were skipped manually', async () => {
      await begin('bad');
      const hold = flows.name('held');
      const name = await flows.define([
        { name: 'first', input: plays(hold, { hold }) },
        { name: 'by_hand', needs: ['first'] },
        { name: 'on', needs: ['by_hand'], triggerRule: TriggerRule.NONE_FAILED },
        failing('bad', { needs: ['on'] }),
      ]);
      const jobId = await flows.submit(name);
      await flows.hasStarted(hold);
      await flows.client.skipStep(jobId, 'by_hand', 'not now');
      flows.reopen(hold);
      expect(await startsUnder((await flows.ended(jobId)).jobId)).toEqual([hold, 'on']);
      await mend('bad');
      expect(await startsUnder((await retried(jobId)).jobId)).toEqual(['by_hand', 'on']);
    });
  });

  describe('of a workflow as a step', () => {
    /** A workflow whose second step fails until its definition is mended. */
    const inner = async (late: string) => {
      await flows.apply(late, [{ name: 'two', input: plays('two', { fail: 'not yet' }) }]);
      return flows.define([{ name: 'one' }, { name: 'two', needs: ['one'], definition: late }]);
    };
    const failedOnce = async (outer: (inner: string) => Step[], state = 'FAILED') => {
      const late = flows.name('late');
      const jobId = await flows.submit(await flows.define(outer(await inner(late))), { of: 'outer' });
      expect(stateName((await flows.ended(jobId)).state)).toBe(state);
      await flows.apply(late, [{ name: 'two' }]);
      return jobId;
    };
    const subOf = async (jobId: string) => flows.client.get((await stepsOf(jobId)).sub?.jobId ?? '');

    it('take over its steps that had succeeded', async () => {
      const jobId = await failedOnce((sub) => [{ name: 'good' }, { name: 'sub', needs: ['good'], definition: sub }]);
      const before = await subOf(jobId);
      const second = await retried(jobId);
      expect(stateName(second.state)).toBe('SUCCEEDED');
      const sub = await subOf(second.jobId);
      expect(sub.retryOf).toBe(before.jobId);
      expect((await stepsOf(sub.jobId)).one?.reason).toBe(`adopted from ${before.jobId}`);
      expect(await startsUnder(sub.jobId)).toEqual([]);
    });

    it('run it from its first step if it has another input, or something before it runs again', async () => {
      const input = '{"of": workflow.job_id}';
      const other = await retried(await failedOnce((sub) => [{ name: 'sub', definition: sub, input }]));
      const compensation = { definition: 'play', input: plays('undo', {}) };
      const undone = { name: 'undone', compensation };
      const behind = await retried(
        await failedOnce((sub) => [undone, { name: 'sub', needs: ['undone'], definition: sub }]),
      );
      for (const { jobId, state } of [other, behind]) {
        expect(stateName(state)).toBe('SUCCEEDED');
        const sub = await subOf(jobId);
        expect(sub.retryOf).toBe('');
        expect(await startsUnder(sub.jobId)).toEqual(['one']);
      }
    });

    it('run it from its first step if it cleans up resources that the repeated steps need', async () => {
      const jobId = await failedOnce((sub) => [
        failing('bad'),
        { name: 'sub', definition: sub, role: StepRole.FINALLY },
      ]);
      await mend('bad');
      const second = await retried(jobId);
      expect(stateName(second.state)).toBe('SUCCEEDED');
      const sub = await subOf(second.jobId);
      expect(sub.retryOf).toBe('');
      expect(await startsUnder(sub.jobId)).toEqual(['one']);
    });

    it('run it from its first step if the workflow had succeeded', async () => {
      const done = { name: 'done', needs: ['sub'], triggerRule: TriggerRule.ALL_DONE };
      const jobId = await failedOnce((sub) => [{ name: 'sub', definition: sub }, done], 'SUCCEEDED');
      expect((await subOf((await retried(jobId)).jobId)).retryOf).toBe('');
    });
  });
});
