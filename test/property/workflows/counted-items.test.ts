/**
 * Steps that count the items of fan-outs, in workflows of all shapes: their decisions are those of Airflow's rules over
 * the list of all items, whatever the order and the batches in which items end, and whatever is lost meanwhile.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import { verdictNow } from '../../support/workflows/workflow-oracle.ts';
import { stepOf } from '../../support/workflows/workflow-steps.ts';
import { rules } from './arbitraries.ts';
import { type Fate, type ItemsPlan, ItemsPlay } from './items-play.ts';

const fate = fc.record<Fate>({
  start: fc.constantFrom('STARTED', 'STARTED', 'STARTED', 'STARTED', 'SKIPPED', 'FAILED'),
  end: fc.constantFrom('SUCCEEDED', 'SUCCEEDED', 'FAILED'),
  items: fc.array(fc.constantFrom('SUCCEEDED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'REFUSED'), { maxLength: 5 }),
});
const vertex = fc.record({
  needs: fc.uniqueArray(fc.nat({ max: 20 }), { maxLength: 4, size: 'max' }),
  rule: fc.constantFrom(...rules),
  countsItems: fc.boolean(),
  isFanOut: fc.boolean(),
  maxParallel: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  maxFailed: fc.option(fc.nat({ max: 2 }), { nil: undefined, freq: 3 }),
  successCount: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 3 }),
  fate,
});
const plans: fc.Arbitrary<ItemsPlan> = fc
  .record({
    vertices: fc.array(vertex, { minLength: 2, maxLength: 12, size: 'max' }),
    picks: fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 100, size: 'max' }),
    pageSize: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ vertices, ...more }) => {
    const steps = vertices.map(({ needs, rule, countsItems, isFanOut, maxParallel, maxFailed, successCount }, i) => {
      const names = [...new Set(needs.flatMap((need) => (i > 0 ? `s${need % i}` : [])))];
      const fanOut = {
        items: '[]',
        ...(maxParallel !== undefined && { maxParallel }),
        ...(maxFailed !== undefined && { maxFailed }),
        ...(successCount !== undefined && { successPolicy: [{ count: successCount }] }),
      };
      const step = stepOf({ name: `s${i}`, rule, needs: names });
      return { ...step, ...(countsItems && { countsItems }), ...(isFanOut && { fanOut }) };
    });
    return { workflow: { steps, failureMode: 'RUN_BRANCHES' }, fates: vertices.map((one) => one.fate), ...more };
  });

/** What a step is for one that needs it: itself, or each of its items. */
function unitsOf(play: ItemsPlay, step: number, need: number): readonly (EndedStepState | undefined)[] {
  const { state, items } = play.factOf(need);
  const { steps } = play.plan.workflow;
  if (!steps[step]?.countsItems || !steps[need]?.fanOut || items.length === 0) return [state];
  return items.map((item) => item ?? (state === undefined ? undefined : 'SKIPPED'));
}

/** Compares each wave with the verdicts over all facts until then. */
function judge(play: ItemsPlay, judged: { byItems: number }): ItemsPlay {
  const decided = new Set(play.adopted);
  play.onWave = (ready, ended) => {
    const expected = play.plan.workflow.steps.flatMap(({ rule, countsItems }, step) => {
      const needs = play.graph.needs(step);
      const units = needs.flatMap((need) => unitsOf(play, step, need));
      const verdict = needs.length === 0 || rule === 'ALWAYS' ? 'WAIT' : verdictNow(rule, units);
      if (verdict === 'WAIT' || decided.has(step)) return [];
      decided.add(step);
      if (countsItems && units.length > needs.length) judged.byItems++;
      return `${step} ${verdict}`;
    });
    const of = ended.map(({ step, state }) => `${step} ${state === 'SKIPPED' ? 'SKIP' : state}`);
    expect([...ready.map((step) => `${step} START`), ...of].sort()).toEqual(expected.sort());
  };
  play.toEnd();
  expect(play.plan.workflow.steps.filter((_, step) => play.factOf(step).state === undefined)).toEqual([]);
  return play;
}

describe('a step that counts items', () => {
  it('is decided exactly when the rule over all items decides', () => {
    const judged = { byItems: 0 };
    fc.assert(
      fc.property(plans, (plan) => void judge(new ItemsPlay(plan), judged)),
      { numRuns: 1_000 },
    );
    expect(judged.byItems).toBeGreaterThan(200);
  });

  it('is decided in a retry by the items of the fan-outs that the retry takes over', () => {
    const judged = { byItems: 0 };
    let adopted = 0;
    fc.assert(
      fc.property(plans, fc.array(fate, { minLength: 12, maxLength: 12 }), (plan, fates) => {
        const first = judge(new ItemsPlay(plan), { byItems: 0 });
        const second = judge(new ItemsPlay({ ...plan, fates }, first), judged);
        adopted += second.adopted.filter((step) => second.graph.isCountedByItems(step)).length;
      }),
      { numRuns: 1_000 },
    );
    expect(judged.byItems).toBeGreaterThan(200);
    expect(adopted).toBeGreaterThan(50);
  });
});
