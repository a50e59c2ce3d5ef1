/** Steps that a retry of a workflow reuses, compared with a full evaluation and with a run of the whole workflow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adoptable } from '../../../server/domain/workflows/adoption.ts';
import { compileGraph } from '../../../server/domain/workflows/graph.ts';
import { cutShort } from '../../../server/domain/workflows/loop.ts';
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import { endingsOfAll } from '../../support/workflows/workflow-oracle.ts';
import { stepOf, workflowOf } from '../../support/workflows/workflow-steps.ts';
import { type Plan, plan } from './arbitraries.ts';
import { Play } from './played-workflow.ts';

interface Retry {
  readonly play: Play;
  readonly given: Plan;
  /** Numbers of the reused steps. */
  readonly adopted: readonly number[];
  /** Whether this step or one before it may end differently this time. */
  readonly isOpen: (step: number) => boolean;
}

function check(holds: (retry: Retry) => void): void {
  fc.assert(
    fc.property(plan, fc.infiniteStream(fc.nat(7)), (given, picks) => holds(retryOf(given, picks))),
    { numRuns: 400 },
  );
}

function retryOf(given: Plan, picks: Iterator<number>): Retry {
  const play = new Play(given).toEnd();
  const { graph, ended, compensated } = play;
  const undone = new Set(compensated.map(({ step }) => step));
  const past = graph.steps.flatMap(({ name, role }, step) => {
    const state = ended.get(name);
    if (state === undefined || role !== 'NORMAL') return [];
    const compensation = undone.has(step) ? ('SUCCEEDED' as const) : undefined;
    const isManual = state === 'SKIPPED' && picks.next().value === 0;
    const isCut = state === 'SUCCEEDED' && picks.next().value === 0;
    const reason = isCut ? cutShort(2) : undefined;
    return [{ step, state, reason, skipReason: isManual ? 'skipped by hand' : undefined, compensation }];
  });
  const isSame = (step: number) =>
    past.some(
      ({ step: own, state, reason, skipReason, compensation }) =>
        own === step && !reason && !skipReason && !compensation && ['SUCCEEDED', 'SKIPPED'].includes(state),
    );
  const isOpen = (step: number): boolean => !isSame(step) || graph.needs(step).some(isOpen);
  return { play, given, adopted: adoptable(graph, past).map(({ step }) => step), isOpen };
}

describe('a retry of a workflow', () => {
  it('reuses succeeded steps except those that were compensated, cut short, or behind a step that runs again', () => {
    let most = 0;
    check(({ play: { graph, ended }, adopted, isOpen }) => {
      const good = graph.steps.flatMap(({ name, role }, step) =>
        role === 'NORMAL' && ended.get(name) === 'SUCCEEDED' && !isOpen(step) ? [step] : [],
      );
      expect(adopted).toEqual(good);
      most = Math.max(most, adopted.length);
    });
    expect(most).toBeGreaterThan(5);
  });

  it('reuses only steps that would also start and succeed in a full run, whatever the other steps do this time', () => {
    const others: Readonly<Partial<Record<EndedStepState, EndedStepState>>> = {
      SUCCEEDED: 'FAILED',
      FAILED: 'SUCCEEDED',
      SKIPPED: 'SUCCEEDED',
    };
    check(({ play: { graph }, given: { workflow, fates }, adopted, isOpen }) => {
      const results = new Map(
        Array.from(fates, ([name, { result }]) => {
          const other = isOpen(graph.indexOf(name)) ? others[result] : undefined;
          return [name, other ?? result] as const;
        }),
      );
      const possible = endingsOfAll(workflow, results);
      for (const step of adopted) {
        const { name } = graph.step(step);
        expect([...(possible.get(name) ?? [])], name).toEqual(['SUCCEEDED']);
      }
    });
  });
});

describe('a fan-out whose items are counted', () => {
  const graph = compileGraph(
    workflowOf(
      stepOf({ name: 'each', fanOut: { items: '[]' } }),
      stepOf({ name: 'join', needs: ['each'], countsItems: true }),
      stepOf({ name: 'whole', needs: ['each'] }),
    ),
  );
  const row = (
    step: number,
    state: EndedStepState,
    counted?: { succeeded: number; failed: number; skipped: number },
  ) => ({
    ...{ step, state, reason: undefined, skipReason: undefined, compensation: undefined },
    ...(counted && { fanOut: { size: 3, started: 3, succeeded: 3, failed: 0, late: 0, ruleCounts: [], counted } }),
  });
  const [all, some] = [
    { succeeded: 3, failed: 0, skipped: 0 },
    { succeeded: 2, failed: 1, skipped: 0 },
  ];

  it('runs again only if its items did not all succeed and kept a step from starting', () => {
    const adopted = (join: EndedStepState, counted: typeof all) =>
      adoptable(graph, [row(0, 'SUCCEEDED', counted), row(1, join), row(2, 'SUCCEEDED')]).map(({ step }) => step);
    expect(adopted('UPSTREAM_FAILED', some)).toEqual([]);
    expect(adopted('UPSTREAM_FAILED', all)).toEqual([0, 2]);
    expect(adopted('FAILED', some)).toEqual([0, 2]);
    expect(adopted('SUCCEEDED', some)).toEqual([0, 1, 2]);
  });
});
