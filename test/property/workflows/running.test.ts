/** Workflows of all shapes, run in random orders, compared with plain evaluators that examine everything each time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roleOf } from '../../../server/domain/workflows/phases.ts';
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import type { Workflow } from '../../../server/domain/workflows/workflow.ts';
import { endingsOfAll, hasFailedLeaf, verdictNow } from '../../support/workflows/workflow-oracle.ts';
import { type Plan, plan } from './arbitraries.ts';
import { Play } from './played-workflow.ts';

const runs = { numRuns: 400 };

function check(holds: (play: Play, given: Plan) => void): void {
  fc.assert(
    fc.property(plan, (given) => holds(new Play(given).toEnd(), given)),
    runs,
  );
}

const resultsOf = ({ fates }: Plan) => new Map([...fates].map(([name, { result }]) => [name, result]));

/** The steps that are decided after a wave and were not before, by all ends until then. */
function decidedAnew({ steps }: Workflow, ended: ReadonlyMap<string, EndedStepState>, decided: Set<number>) {
  const ready: number[] = [];
  const without: string[] = [];
  for (const [step, { name, rule, needs }] of steps.entries()) {
    const verdict = verdictNow(
      rule,
      needs.map((need) => ended.get(need)),
    );
    if (verdict === 'WAIT' || decided.has(step)) continue;
    decided.add(step);
    if (verdict === 'START') ready.push(step);
    else without.push(`${name} ${verdict === 'SKIP' ? 'SKIPPED' : verdict}`);
  }
  return { ready, without: without.sort() };
}

describe('a wave', () => {
  it('decides exactly the steps that its ends decide, each once', () => {
    check(({ waves, graph }, { workflow }) => {
      const ended = new Map<string, EndedStepState>();
      const decided = new Set<number>();
      decidedAnew(workflow, ended, decided);
      for (const { ends, found } of waves) {
        for (const { step, state } of ends) ended.set(graph.step(step).name, state);
        const expected = decidedAnew(workflow, ended, decided);
        expect([...found.ready].sort((a, b) => a - b)).toEqual(expected.ready);
        expect(found.ended.map(({ step, state }) => `${graph.step(step).name} ${state}`).sort()).toEqual(
          expected.without,
        );
      }
    });
  });

  it('changes rows of direct successors only, and counts every end in them', () => {
    check(({ waves, graph }) => {
      for (const { ends, found } of waves) {
        const successors = new Set(ends.flatMap(({ step }) => graph.successors(step)));
        expect(new Set(found.rows.keys())).toEqual(successors);
      }
      const last = new Map(waves.flatMap(({ found }) => [...found.rows]));
      const reported = new Map(waves.flatMap(({ ends }) => ends.map(({ step, state }) => [step, state])));
      for (const [step, { counts }] of last) {
        const states = graph.needs(step).map((need) => reported.get(need));
        const of = (state: EndedStepState) => states.filter((one) => one === state).length;
        expect(counts).toEqual({
          succeeded: of('SUCCEEDED'),
          failed: of('FAILED'),
          upstreamFailed: of('UPSTREAM_FAILED'),
          skipped: of('SKIPPED'),
        });
      }
    });
  });
});

describe('a step', () => {
  it('starts at most once, in its phase, and never while the workflow stops', () => {
    check(({ starts, graph }) => {
      expect(new Set(starts.map(({ step }) => step)).size).toBe(starts.length);
      for (const { step, run } of starts) {
        expect(graph.step(step).role).toBe(roleOf(run.phase));
        expect(run.phase === 'WORK' && run.stopReason !== 'NO').toBe(false);
      }
    });
  });

  it('ends as the plain evaluator says, unless it was cut short', () => {
    let exact = 0;
    let open = 0;
    check(({ free }, given) => {
      const possible = endingsOfAll(given.workflow, resultsOf(given));
      for (const [name, state] of free) {
        const endings = [...(possible.get(name) ?? [])];
        expect(endings, name).toContain(state);
        if (endings.length === 1) exact++;
        else open++;
      }
    });
    // The order counts only where an ALL_SUCCESS step is behind both a failed and a skipped one, directly or not.
    expect(exact).toBeGreaterThan(3 * open);
  });
});

describe('the compensation of a work that failed or was stopped', () => {
  it('runs once per succeeded step, last ends first, while nothing is open', () => {
    let most = 0;
    check(({ compensable, compensated, phases }) => {
      const due = phases.includes('COMPENSATION') ? compensable.toReversed() : [];
      expect(compensated.map(({ step }) => step)).toEqual(due);
      expect(compensated.every(({ open }) => open === 0)).toBe(true);
      most = Math.max(most, compensated.length);
    });
    expect(most).toBeGreaterThan(5);
  });
});

describe('a workflow', () => {
  it('passes through its phases in order, and leaves out those without a step or a reason', () => {
    check(({ phases, graph, ended, run, stoppedIn, compensable }, { workflow }) => {
      const workFailed = hasFailedLeaf(workflow, 'NORMAL', ended);
      const helps = graph.count('ON_FAILURE') > 0 && (workFailed || stoppedIn === 'WORK');
      const last = graph.count('FINALLY') > 0 ? ['FINALLY'] : [];
      const undoes = compensable.length > 0 && (workFailed || stoppedIn === 'WORK') ? ['COMPENSATION'] : [];
      expect(phases).toEqual(['WORK', ...undoes, ...(helps ? ['ON_FAILURE'] : []), ...last]);
      expect(run.failed).toBe(workFailed);
      const isFast = workflow.failureMode === 'FAIL_FAST';
      if (!stoppedIn) expect(run.stopReason).toBe(workFailed && isFast ? 'FAILED' : 'NO');
    });
  });

  it('has ended all steps of its phases, except those that a stopped work never started', () => {
    check(({ phases, ended, run }, { workflow, stop }) => {
      const cut = stop !== undefined || (run.stopReason !== 'NO' && workflow.failureMode === 'FAIL_FAST');
      for (const { name, role } of workflow.steps) {
        const isPart = phases.some((phase) => roleOf(phase) === role && !(phase === 'WORK' && cut));
        if (isPart) expect(ended.has(name), name).toBe(true);
        if (!phases.some((phase) => roleOf(phase) === role)) expect(ended.has(name), name).toBe(false);
      }
    });
  });

  it('ends as its events say', () => {
    check(({ endState, ended, stoppedIn }, { workflow, stop }) => {
      const failed = hasFailedLeaf(workflow, 'NORMAL', ended) || hasFailedLeaf(workflow, 'FINALLY', ended);
      const why = stoppedIn && stop?.why;
      expect(endState).toBe(why === 'CANCELLED' ? why : failed || why === 'TIMED_OUT' ? 'FAILED' : 'SUCCEEDED');
    });
  });

  it('that nobody stops ends in the same state in any order, and under either failure mode', () => {
    check((_play, given) => {
      const possible = endingsOfAll(given.workflow, resultsOf(given));
      if ([...possible.values()].some(({ size }) => size > 1)) return;
      const states = new Map([...possible].flatMap(([name, set]) => [...set].map((state) => [name, state] as const)));
      const failed =
        hasFailedLeaf(given.workflow, 'NORMAL', states) || hasFailedLeaf(given.workflow, 'FINALLY', states);
      for (const failureMode of ['FAIL_FAST', 'RUN_BRANCHES'] as const) {
        const play = new Play({ ...given, workflow: { ...given.workflow, failureMode }, stop: undefined }).toEnd();
        expect(play.endState).toBe(failed ? 'FAILED' : 'SUCCEEDED');
      }
    });
  });
});
