/** The phases of a workflow, one decision at a time. */
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../server/domain/workflows/graph.ts';
import {
  afterCompensation,
  afterEnds,
  afterStarts,
  decidePhase,
  enterPhase,
  type FailingReason,
  isStopping,
  newRun,
  stopFor,
  type WorkflowRun,
} from '../../../../server/domain/workflows/phases.ts';
import type { EndedStep, EndedStepState } from '../../../../server/domain/workflows/step-state.ts';
import type { FailureMode } from '../../../../server/domain/workflows/workflow.ts';
import { stepOf, workflowOf } from '../../../support/workflows/workflow-steps.ts';

const work = [stepOf({ name: 'first' }), stepOf({ name: 'second', needs: ['first'] }), stepOf({ name: 'other' })];
const undo = stepOf({ name: 'undo', role: 'ON_FAILURE' });
const clean = stepOf({ name: 'clean', role: 'FINALLY' });
const report = stepOf({ name: 'report', role: 'FINALLY', needs: ['clean'], rule: 'ALL_DONE' });

const workflow = workflowOf(...work, undo, clean, report);
const graph = compileGraph(workflow);
const [FIRST, SECOND, OTHER, UNDO, CLEAN, REPORT] = [0, 1, 2, 3, 4, 5] as const;

const runOf = (changes: Partial<WorkflowRun>): WorkflowRun => ({ ...newRun, ...changes });
const end = (step: number, state: EndedStepState): EndedStep => ({ step, state });
const advanced = (run: WorkflowRun, ends: EndedStep[], failureMode: FailureMode = 'FAIL_FAST') =>
  afterEnds(graph, { ...workflow, failureMode }, run, ends);

describe('the end of a step', () => {
  it('is counted; a step that never ran does not lower the number of running ones', () => {
    const ends = [end(FIRST, 'SUCCEEDED'), end(OTHER, 'SKIPPED')];
    expect(advanced(afterStarts(newRun, 2), ends)).toEqual(runOf({ running: 1, ended: 2 }));
    expect(advanced(runOf({ running: 2 }), [end(FIRST, 'FAILED')])).toEqual(runOf({ running: 1, ended: 1 }));
  });

  it('stops the work under FAIL_FAST when a leaf failed or could not start', () => {
    for (const state of ['FAILED', 'UPSTREAM_FAILED'] as const) {
      expect(advanced(runOf({ running: 9 }), [end(SECOND, state)])).toMatchObject({
        failed: true,
        stopReason: 'FAILED',
      });
      const branches = advanced(runOf({ running: 9 }), [end(SECOND, state)], 'RUN_BRANCHES');
      expect(branches).toMatchObject({ failed: true, stopReason: 'NO' });
    }
    const fine = [end(FIRST, 'FAILED'), end(SECOND, 'SUCCEEDED'), end(OTHER, 'SKIPPED')];
    expect(advanced(runOf({ running: 2 }), fine)).toEqual(runOf({ running: 0, ended: 3 }));
  });

  it('changes nothing in ON_FAILURE, and makes clean-up fail at a leaf of FINALLY', () => {
    const onFailure = runOf({ phase: 'ON_FAILURE', running: 1, failed: true, stopReason: 'FAILED' });
    expect(advanced(onFailure, [end(UNDO, 'FAILED')])).toEqual({ ...onFailure, running: 0, ended: 1 });
    const last = runOf({ phase: 'FINALLY', running: 1 });
    expect(advanced(last, [end(CLEAN, 'FAILED')])).toEqual({ ...last, running: 0, ended: 1 });
    for (const [state, running] of [
      ['FAILED', 0],
      ['UPSTREAM_FAILED', 1],
    ] as const)
      expect(advanced(last, [end(REPORT, state)])).toEqual({ ...last, running, ended: 1, cleanupFailed: true });
  });
});

describe('the stop reason', () => {
  it('stops the work, and no later phase', () => {
    for (const why of ['FAILED', 'CANCELLED', 'TIMED_OUT'] as const) {
      expect(isStopping(stopFor(newRun, why))).toBe(true);
      expect(isStopping(stopFor(runOf({ phase: 'ON_FAILURE' }), why))).toBe(false);
      expect(isStopping(stopFor(runOf({ phase: 'FINALLY' }), why))).toBe(false);
    }
    expect(isStopping(runOf({ failed: true }))).toBe(false);
  });

  it.each<[FailingReason, FailingReason, FailingReason]>([
    ['FAILED', 'TIMED_OUT', 'FAILED'],
    ['TIMED_OUT', 'FAILED', 'TIMED_OUT'],
    ['FAILED', 'CANCELLED', 'CANCELLED'],
    ['TIMED_OUT', 'CANCELLED', 'CANCELLED'],
    ['CANCELLED', 'TIMED_OUT', 'CANCELLED'],
    ['CANCELLED', 'FAILED', 'CANCELLED'],
  ])('after %s and then %s is %s', (first, second, expected) => {
    expect(stopFor(stopFor(newRun, first), second).stopReason).toBe(expected);
  });
});

const stay = { kind: 'STAY' };
const toUndo = { kind: 'ENTER', phase: 'ON_FAILURE', roots: [UNDO] };
const toClean = { kind: 'ENTER', phase: 'FINALLY', roots: [CLEAN] };
const ends = (state: string) => ({ kind: 'END', state });

const rows: [string, Partial<WorkflowRun>, object][] = [
  ['work: some steps have not ended', { running: 0, ended: 2 }, stay],
  ['work: all have', { ended: 3 }, toClean],
  ['work: all have, and a leaf failed', { ended: 3, failed: true }, toUndo],
  ['work: a leaf failed, and branches run', { running: 1, ended: 2, failed: true }, stay],
  ['stopping work: a step is open', { running: 1, ended: 1, stopReason: 'CANCELLED' }, stay],
  ['stopping work: no step is open, though some never ended', { ended: 1, stopReason: 'FAILED', failed: true }, toUndo],
  ['stopping work: cancelled before anything began', { stopReason: 'CANCELLED' }, toUndo],
  ['stopping work: timed out', { ended: 1, stopReason: 'TIMED_OUT' }, toUndo],
  ['on failure: cancelled, and not interrupted', { phase: 'ON_FAILURE', stopReason: 'CANCELLED' }, stay],
  ['on failure: all have ended', { phase: 'ON_FAILURE', ended: 1, failed: true }, toClean],
  ['finally: some have not ended', { phase: 'FINALLY', ended: 1, stopReason: 'TIMED_OUT' }, stay],
  ['the end: everything succeeded', { phase: 'FINALLY', ended: 2 }, ends('SUCCEEDED')],
  ['the end: the work failed', { phase: 'FINALLY', ended: 2, failed: true }, ends('FAILED')],
  ['the end: timed out', { phase: 'FINALLY', ended: 2, stopReason: 'TIMED_OUT' }, ends('FAILED')],
  ['the end: clean-up failed', { phase: 'FINALLY', ended: 2, cleanupFailed: true }, ends('FAILED')],
  [
    'the end: cancelled, and work and clean-up failed',
    { phase: 'FINALLY', ended: 2, stopReason: 'CANCELLED', failed: true, cleanupFailed: true },
    ends('CANCELLED'),
  ],
];

const failed = { ended: 3, failed: true } as const;
const compensating = { phase: 'COMPENSATION', ended: 1, failed: true } as const;
const compensationRows: [string, Partial<WorkflowRun>, object][] = [
  ['work: a step is open', { ...failed, ended: 2, running: 1, compensable: 2 }, stay],
  ['work: it failed', { ...failed, compensable: 2 }, { kind: 'ENTER', phase: 'COMPENSATION', roots: [] }],
  [
    'work: it was cancelled',
    { stopReason: 'CANCELLED', compensable: 1 },
    { kind: 'ENTER', phase: 'COMPENSATION', roots: [] },
  ],
  ['work: it succeeded', { ended: 3, compensable: 2 }, toClean],
  ['compensation: none runs', { ...compensating, compensable: 1 }, { kind: 'COMPENSATE' }],
  ['compensation: cancelled', { ...compensating, compensable: 1, stopReason: 'CANCELLED' }, { kind: 'COMPENSATE' }],
  ['compensation: one runs', { ...compensating, compensable: 1, running: 1 }, stay],
  ['compensation: all have ended', compensating, toUndo],
  [
    'finally: cancelled after the work',
    { phase: 'FINALLY', ended: 2, stopReason: 'CANCELLED', compensable: 2 },
    ends('CANCELLED'),
  ],
];

describe('compensation', () => {
  it.each(compensationRows)('is decided in the case "%s"', (_what, run, expected) => {
    expect(decidePhase(graph, runOf(run))).toEqual(expected);
  });

  it('is due for each step that succeeded and has a compensation', () => {
    const compensation = { definition: 'undo', definitionVersion: 0 };
    const steps = workflowOf(
      stepOf({ name: 'a', compensation }),
      stepOf({ name: 'b', compensation }),
      stepOf({ name: 'c' }),
    );
    const run = afterEnds(compileGraph(steps), steps, afterStarts(newRun, 3), [
      end(0, 'SUCCEEDED'),
      end(1, 'SKIPPED'),
      end(2, 'SUCCEEDED'),
    ]);
    expect(run).toEqual(runOf({ running: 1, ended: 3, compensable: 1 }));
    expect(isStopping(runOf({ ...compensating, stopReason: 'CANCELLED', compensable: 1 }))).toBe(false);
    const begun = afterStarts(enterPhase(runOf({ ...failed, compensable: 2 }), 'COMPENSATION'), 1);
    expect(afterCompensation(begun)).toEqual(runOf({ ...compensating, compensable: 1 }));
  });
});

describe('decidePhase', () => {
  it.each(rows)('decides in the case "%s"', (_what, run, expected) => {
    expect(decidePhase(graph, runOf(run))).toEqual(expected);
  });

  it('skips phases without a step', () => {
    const bare = compileGraph(workflowOf(...work));
    expect(decidePhase(bare, runOf({ ended: 3 }))).toEqual(ends('SUCCEEDED'));
    expect(decidePhase(bare, runOf({ stopReason: 'CANCELLED' }))).toEqual(ends('CANCELLED'));
    const tidy = compileGraph(workflowOf(...work, clean));
    expect(decidePhase(tidy, runOf({ stopReason: 'CANCELLED' }))).toMatchObject({ phase: 'FINALLY', roots: [3] });
    const onlyCleans = compileGraph(workflowOf(clean));
    expect(decidePhase(onlyCleans, newRun)).toMatchObject({ phase: 'FINALLY', roots: [0] });
  });

  it('restarts the counts in each phase, and keeps the stop reason', () => {
    const before = runOf({ ended: 1, stopReason: 'TIMED_OUT', failed: true });
    expect(enterPhase(before, 'ON_FAILURE')).toEqual({ ...before, phase: 'ON_FAILURE', ended: 0 });
  });
});
