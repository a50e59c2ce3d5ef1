/** Waves one by one: which ends come together, which comes first, and that no step is found twice. */
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../server/domain/workflows/graph.ts';
import type { EndedStep } from '../../../../server/domain/workflows/step-state.ts';
import { noneEnded } from '../../../../server/domain/workflows/trigger-rules.ts';
import { type StepRow, successorsOf, wave } from '../../../../server/domain/workflows/wave.ts';
import type { TriggerRule } from '../../../../server/domain/workflows/workflow.ts';
import { stepOf, workflowOf } from '../../../support/workflows/workflow-steps.ts';

const JOIN = 2;

/** The graph of two steps, 0 and 1, and one that needs both. */
function joined(rule: TriggerRule) {
  return compileGraph(
    workflowOf(stepOf({ name: 'a' }), stepOf({ name: 'b' }), stepOf({ name: 'join', needs: ['a', 'b'], rule })),
  );
}

const failed: EndedStep = { step: 0, state: 'FAILED' };
const skipped: EndedStep = { step: 1, state: 'SKIPPED' };
const good = (step: number): EndedStep => ({ step, state: 'SUCCEEDED' });

describe('a wave', () => {
  it('applies all its ends before it decides: a failure takes precedence over a skip of the same wave', () => {
    for (const ends of [
      [failed, skipped],
      [skipped, failed],
    ]) {
      const { rows, ready, ended } = wave(joined('ALL_SUCCESS'), new Map(), ends);
      expect(ended).toEqual([{ step: JOIN, state: 'UPSTREAM_FAILED' }]);
      expect(ready).toEqual([]);
      expect(rows).toEqual(
        new Map([[JOIN, { state: 'UPSTREAM_FAILED', counts: { ...noneEnded, failed: 1, skipped: 1 } }]]),
      );
    }
  });

  it('decides by the first end when ends come one by one, and only counts later ones', () => {
    const graph = joined('ALL_SUCCESS');
    const first = wave(graph, new Map(), [skipped]);
    expect(first.ended).toEqual([{ step: JOIN, state: 'SKIPPED' }]);
    const second = wave(graph, first.rows, [failed]);
    expect(second.ended).toEqual([]);
    expect(second.rows.get(JOIN)).toEqual({ state: 'SKIPPED', counts: { ...noneEnded, failed: 1, skipped: 1 } });
  });

  it('finds a step ready once, even when it has not started before the next end', () => {
    const graph = joined('ONE_SUCCESS');
    const first = wave(graph, new Map(), [good(0)]);
    expect(first.ready).toEqual([JOIN]);
    expect(first.rows.get(JOIN)?.state).toBe('WAITING');
    const second = wave(graph, first.rows, [good(1)]);
    expect([second.ready, second.ended]).toEqual([[], []]);
    expect(second.rows.get(JOIN)?.counts.succeeded).toBe(2);
  });

  it('does not find a step that started with its phase', () => {
    expect(wave(joined('ALWAYS'), new Map(), [good(0), good(1)])).toMatchObject({ ready: [], ended: [] });
  });

  it('does not change a step that is no longer waiting, whatever ended it', () => {
    const rows = new Map<number, StepRow>([[JOIN, { state: 'SKIPPED', counts: noneEnded }]]);
    const found = wave(joined('ONE_SUCCESS'), rows, [good(0)]);
    expect(found).toMatchObject({ ready: [], ended: [] });
    expect(found.rows.get(JOIN)).toEqual({ state: 'SKIPPED', counts: { ...noneEnded, succeeded: 1 } });
  });

  it('keeps the end of a step that comes in the same wave as one of its needs, though its row is older', () => {
    const rows = new Map<number, StepRow>([[JOIN, { state: 'RUNNING', counts: { ...noneEnded, succeeded: 1 } }]]);
    const found = wave(joined('ONE_SUCCESS'), rows, [{ step: JOIN, state: 'FAILED' }, good(1)]);
    expect(found.rows).toEqual(new Map([[JOIN, { state: 'FAILED', counts: { ...noneEnded, succeeded: 2 } }]]));
  });

  it('does not change the rows it was given', () => {
    const row: StepRow = Object.freeze({ state: 'WAITING', counts: Object.freeze({ ...noneEnded, succeeded: 1 }) });
    const rows = new Map([[JOIN, row]]);
    expect(wave(joined('ALL_SUCCESS'), rows, [good(1)]).ready).toEqual([JOIN]);
    expect(rows).toEqual(new Map([[JOIN, row]]));
  });

  it('throws on an end that was counted before', () => {
    const graph = joined('ALL_DONE');
    const { rows } = wave(graph, new Map(), [good(0), good(1)]);
    expect(() => wave(graph, rows, [good(1)])).toThrow('step "join" got more ends than it needs steps');
  });

  it('changes nothing for steps that no other step needs', () => {
    expect(successorsOf(joined('ALL_SUCCESS'), [good(JOIN)])).toEqual(new Set());
    expect(wave(joined('ALL_SUCCESS'), new Map(), [good(JOIN)]).rows.size).toBe(0);
  });
});
