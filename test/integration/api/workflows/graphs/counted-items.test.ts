/** Steps whose trigger rules count the items of a fan-out, on the real store, checked by the oracle of Airflow's rules. */
import { FailureMode } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndedStepState } from '../../../../../server/domain/workflows/step-state.ts';
import type { TriggerRule as Rule } from '../../../../../server/domain/workflows/workflow.ts';
import { stepStateName } from '../../../../../server/view/state-words.ts';
import { databaseKinds } from '../../../../support/databases/databases.ts';
import { verdictOf } from '../../../../support/workflows/workflow-oracle.ts';
import {
  type Flows,
  failureOf,
  type Place,
  plays,
  type Step,
  startOn,
  stateName,
  TriggerRule,
  witness,
} from '../flows.ts';

const rules = Object.keys(TriggerRule).filter((name) => /^[A-Z]/.test(name) && name !== 'UNSPECIFIED') as Rule[];
/** How items end: S succeeds, F fails. */
const lists = ['', 'S', 'F', 'SS', 'SF', 'FF', 'SSSSF', 'FFFFS'];
const endOf: Readonly<Record<string, EndedStepState>> = { S: 'SUCCEEDED', F: 'FAILED' };
const branches = { failureMode: FailureMode.RUN_BRANCHES, output: '1' };

/** A step with an item for each letter of `workflow.input.ends`. */
const each: Step = {
  name: 'each',
  fanOut: { items: 'workflow.input.ends' },
  input: '{"as": "item", "fail": item == "F" ? "as told" : ""}',
};

/** The state of a step that may start and then succeeds. */
function stateBehind(rule: Rule, ends: readonly EndedStepState[]): EndedStepState {
  const verdict = verdictOf(rule, ends);
  return verdict === 'START' ? 'SUCCEEDED' : verdict === 'SKIP' ? 'SKIPPED' : verdict;
}

describe.each(databaseKinds)('counted items on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  const statesAfter = async (jobId: string) => {
    await flows.ended(jobId);
    return flows.statesOf(jobId) as Record<string, EndedStepState>;
  };

  it.each(rules)('%s judges each item', { timeout: 120_000 }, async (rule) => {
    const condition = 'has(workflow.input.ends)';
    const counting: Step = { name: 'counting', needs: ['each'], triggerRule: TriggerRule[rule], countsItems: true };
    const mixed: Step = { ...counting, name: 'mixed', needs: ['each', 'plain'] };
    const whole: Step = { ...counting, name: 'whole', countsItems: false };
    const before = [
      { ...each, condition },
      { name: 'plain', condition },
    ];
    const last = witness('each', 'counting', 'mixed', 'whole');
    const definition = await flows.define([...before, counting, mixed, whole, last], branches);
    const jobs = await flows.client.submitMany(lists.map((list) => ({ definition, input: { ends: [...list] } })));
    for (const [i, list] of lists.entries()) {
      const states = await statesAfter(jobs[i]?.jobId ?? '');
      const items = list === '' ? (['SUCCEEDED'] as const) : [...list].map((end) => endOf[end] as EndedStepState);
      const ofWhole = list.includes('F') ? 'FAILED' : 'SUCCEEDED';
      const expected = {
        each: ofWhole,
        counting: stateBehind(rule, items),
        whole: stateBehind(rule, [ofWhole]),
        mixed: stateBehind(rule, [...items, 'SUCCEEDED']),
      };
      expect(states, `${rule} of "${list}"`).toEqual(expected);
    }
  });

  it('counts a fan-out that never has items as one step of its end', async () => {
    const counting = (name: string, rule: Rule): Step => ({
      name,
      needs: ['each'],
      triggerRule: TriggerRule[rule],
      countsItems: true,
    });
    const behind = [counting('skipped', 'ALL_SKIPPED'), counting('failed', 'ALL_FAILED')];
    const steps = [{ ...each, condition: 'workflow.input.runs' }, ...behind, witness('each', 'skipped', 'failed')];
    const name = await flows.define(steps, branches);
    const states = async (input: unknown) => statesAfter(await flows.submit(name, input));
    expect(await states({ runs: false })).toEqual({ each: 'SKIPPED', skipped: 'SUCCEEDED', failed: 'SKIPPED' });
    expect(await states({ runs: true, ends: 7 })).toEqual({ each: 'FAILED', skipped: 'SKIPPED', failed: 'SUCCEEDED' });
  });

  it('starts a step at the first item that decides, and lets the others run', async () => {
    const tag = flows.name('first');
    const input = `{"as": "${tag}", "fail": item == 0 ? "as told" : "", "hold": item == 0 ? "free" : "${tag}"}`;
    flows.reopen('free');
    const steps: Step[] = [
      { name: 'each', fanOut: { items: '[0, 1, 2]' }, input },
      {
        name: 'alarm',
        needs: ['each'],
        triggerRule: TriggerRule.ONE_FAILED,
        countsItems: true,
        input: plays(`${tag}-alarm`, {}),
      },
      { name: 'sum', needs: ['each'], countsItems: true, triggerRule: TriggerRule.ALL_DONE },
    ];
    const jobId = await flows.submit(await flows.define(steps, branches));
    await flows.hasStarted(`${tag}-alarm`);
    const shown = (await flows.client.listWorkflowSteps(jobId)).steps;
    expect(shown.map(({ name, fanOut }) => [name, fanOut?.failedCount])).toEqual([
      ['each', 1],
      ['alarm', undefined],
      ['sum', undefined],
    ]);
    flows.reopen(tag);
    expect(stateName((await flows.ended(jobId)).state)).toBe('SUCCEEDED');
    expect((await flows.client.getWorkflow(jobId)).succeededCount).toBe(2);
  });

  it('counts items that a decided fan-out has cancelled as failed, and those that never began as skipped', async () => {
    const counting = (name: string, rule: Rule): Step => ({
      name,
      needs: ['each'],
      triggerRule: TriggerRule[rule],
      countsItems: true,
    });
    const behind = [
      counting('none_failed', 'NONE_FAILED'),
      counting('none_skipped', 'NONE_SKIPPED'),
      counting('all_success', 'ALL_SUCCESS'),
    ];
    const names = behind.map(({ name }) => name);
    const run = async (maxParallel: number) => {
      const tag = flows.name('cut');
      const fanOut = { items: '[0, 1, 2, 3]', maxParallel, successPolicy: [{ indexes: '0' }] };
      const input = `{"as": "${tag}", "hold": item == 0 ? "free" : "${tag}"}`;
      flows.reopen('free');
      const steps = [{ name: 'each', fanOut, input }, ...behind, witness('each', ...names)];
      return statesAfter(await flows.submit(await flows.define(steps, branches)));
    };
    expect(await run(1)).toEqual({
      each: 'SUCCEEDED',
      none_failed: 'SUCCEEDED',
      none_skipped: 'SKIPPED',
      all_success: 'SKIPPED',
    });
    expect(await run(4)).toEqual({
      each: 'SUCCEEDED',
      none_failed: 'UPSTREAM_FAILED',
      none_skipped: 'SUCCEEDED',
      all_success: 'UPSTREAM_FAILED',
    });
  });

  it('counts items that somebody skips as skipped', async () => {
    const tag = flows.name('skipped');
    const steps: Step[] = [
      { name: 'each', fanOut: { items: '[0, 1, 2, 3]', maxParallel: 2 }, input: plays(tag, { hold: tag }) },
      { name: 'join', needs: ['each'], countsItems: true, triggerRule: TriggerRule.NONE_FAILED },
      witness('each', 'join'),
    ];
    const jobId = await flows.submit(await flows.define(steps));
    await flows.hasStarted(tag, 2);
    await flows.client.skipStep(jobId, 'each', 'not today');
    expect(await statesAfter(jobId)).toEqual({ each: 'SKIPPED', join: 'SUCCEEDED' });
  });

  it('a retry runs a fan-out again whose failed items kept a step from starting, and takes over one that did not', async () => {
    const task = flows.name('mended');
    const apply = (input: string) => flows.apply(task, [{ name: 'work', input }]);
    const fanOut = { items: '[0, 1]', maxParallel: 1, successPolicy: [{ indexes: '1' }] };
    const tolerant = { definition: task, fanOut, input: '{"item": item}' };
    const steps: Step[] = [
      { name: 'kept', ...tolerant },
      { name: 'done', needs: ['kept'], countsItems: true, triggerRule: TriggerRule.ALL_DONE },
      { name: 'again', ...tolerant },
      { name: 'stuck', needs: ['again'], countsItems: true },
    ];
    await apply('{"fail": workflow.input.item == 0 ? "not yet" : ""}');
    const jobId = await flows.submit(await flows.define(steps, branches));
    const statesOf = async (id: string) => {
      await flows.ended(id);
      const { steps: found } = await flows.client.listWorkflowSteps(id);
      return found.map(
        ({ name, state, reason }) => `${name} ${stepStateName(state)}${/adopted/.test(reason) ? ' before' : ''}`,
      );
    };
    expect(await statesOf(jobId)).toEqual([
      'kept SUCCEEDED',
      'done SUCCEEDED',
      'again SUCCEEDED',
      'stuck UPSTREAM_FAILED',
    ]);
    expect(failureOf(await flows.client.get(jobId))).toMatchObject({
      message: 'step "stuck": a step or an item that it needs failed',
    });
    await apply('{"fail": ""}');
    expect(await statesOf((await flows.client.retry(jobId)).jobId)).toEqual([
      'kept SUCCEEDED before',
      'done SUCCEEDED before',
      'again SUCCEEDED',
      'stuck SUCCEEDED',
    ]);
  });

  it('keeps exact counts of thousands of items for several steps', { timeout: 120_000 }, async () => {
    const counting = (rule: Rule): Step => ({
      name: rule.toLowerCase(),
      needs: ['each', 'few'],
      triggerRule: TriggerRule[rule],
      countsItems: true,
    });
    const items = Array.from({ length: 3_000 }, (_, i) => (i === 2_999 ? 'F' : 'S'));
    const few = { ...each, name: 'few', fanOut: { items: '["S", "S"]', maxParallel: 1 } };
    const judged = (['ALL_DONE', 'ALL_SUCCESS', 'ALL_DONE_MIN_ONE_SUCCESS', 'NONE_SKIPPED'] as const).map(counting);
    const steps = [{ ...each, fanOut: { items: 'workflow.input.ends', maxParallel: 500 } }, few, ...judged];
    const jobId = await flows.submit(
      await flows.define([...steps, witness(...judged.map(({ name }) => name))], branches),
      {
        ends: items,
      },
    );
    expect(await statesAfter(jobId)).toEqual({
      all_done: 'SUCCEEDED',
      all_success: 'UPSTREAM_FAILED',
      all_done_min_one_success: 'SUCCEEDED',
      none_skipped: 'SUCCEEDED',
    });
  });
});
