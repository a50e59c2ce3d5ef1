/** Properties of a workflow's progress and of the estimate of its end, at any stage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  estimatedEndUs,
  type StepTimes,
  shareDone,
  type WorkflowSoFar,
} from '../../../server/domain/workflows/estimate.ts';
import { compileGraph, type Graph } from '../../../server/domain/workflows/graph.ts';
import type { Phase } from '../../../server/domain/workflows/phases.ts';
import type { StepState } from '../../../server/domain/workflows/step-state.ts';
import type { WorkflowStep } from '../../../server/domain/workflows/workflow.ts';

const NOW = 1_800_000_000_000_000;
const SECOND = 1_000_000;

interface Drawn {
  readonly graph: Graph;
  readonly soFar: WorkflowSoFar;
}

const roles = ['NORMAL', 'ON_FAILURE', 'FINALLY'] as const;
const states: readonly StepState[] = ['WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UPSTREAM_FAILED', 'SKIPPED'];

/** A step that may need any earlier one of its own role. */
const someStep = fc.record({
  role: fc.constantFrom(...roles),
  definition: fc.constantFrom('a', 'b', 'c'),
  needs: fc.array(fc.nat(20), { maxLength: 3 }),
  isWide: fc.boolean(),
  state: fc.constantFrom(...states),
  startedAgo: fc.option(fc.integer({ min: 0, max: 1_000 * SECOND })),
  took: fc.option(fc.integer({ min: 0, max: 1_000 * SECOND })),
  size: fc.integer({ min: 1, max: 50 }),
  ended: fc.nat(50),
});

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    steps: fc.array(someStep, { minLength: 1, maxLength: 20 }),
    phase: fc.constantFrom<Phase>('WORK', 'FINALLY'),
  })
  .map(({ steps, phase }) => {
    const made = steps.map(({ role, definition, needs, isWide }, i): WorkflowStep => {
      const before = needs.filter((need) => need < i && steps[need]?.role === role);
      return {
        ...{ name: `s${i}`, definition, definitionVersion: 0, rule: 'ALL_SUCCESS', role },
        needs: [...new Set(before)].map((need) => `s${need}`),
        ...(isWide && { fanOut: { items: '[]', maxParallel: 0 } }),
      };
    });
    const times = steps.map(({ isWide, state, startedAgo, took, size, ended }): StepTimes => {
      const startTimeUs = startedAgo === null || state === 'WAITING' ? undefined : NOW - startedAgo;
      const hasEnd = startTimeUs !== undefined && took !== null && state !== 'RUNNING' && !isWide;
      return {
        startTimeUs,
        endTimeUs: hasEnd ? startTimeUs + took : undefined,
        items: isWide && state === 'RUNNING' ? { size, ended: Math.min(ended, size) } : undefined,
      };
    });
    return {
      graph: compileGraph({ steps: made, failureMode: 'FAIL_FAST' }),
      soFar: {
        phase,
        states: new Map(steps.map(({ state }, i) => [i, state])),
        times: new Map(times.entries()),
        nowUs: NOW,
      },
    };
  });

const withState = ({ soFar }: Drawn, step: number, state: StepState): WorkflowSoFar => ({
  ...soFar,
  states: new Map([...soFar.states, [step, state]]),
});

describe('the completed fraction', () => {
  it('is from 0 to 1, and 1 exactly when nothing is left', () => {
    fc.assert(
      fc.property(drawn, ({ graph, soFar }) => {
        const share = shareDone(graph, soFar);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
        const over = graph.steps
          .map((_, step) => step)
          .reduce((all, step) => new Map(all).set(step, 'SUCCEEDED'), soFar.states);
        expect(shareDone(graph, { ...soFar, states: over })).toBeCloseTo(1);
      }),
    );
  });

  it('grows with each step and item that ends, and with each phase', () => {
    fc.assert(
      fc.property(drawn, fc.nat(20), fc.constantFrom(...states.slice(2)), (one, n, state) => {
        const { graph, soFar } = one;
        const before = shareDone(graph, soFar);
        const step = n % graph.size;
        expect(shareDone(graph, withState(one, step, state))).toBeGreaterThanOrEqual(before - 1e-9);
        expect(shareDone(graph, withItem(one, step))).toBeGreaterThanOrEqual(before - 1e-9);
        expect(shareDone(graph, { ...soFar, phase: 'FINALLY' })).toBeGreaterThanOrEqual(before - 1e-9);
      }),
    );
  });
});

function withItem({ soFar }: Drawn, step: number): WorkflowSoFar {
  const times = soFar.times.get(step);
  if (!times?.items) return soFar;
  const items = { ...times.items, ended: Math.min(times.items.size, times.items.ended + 1) };
  return { ...soFar, times: new Map([...soFar.times, [step, { ...times, items }]]) };
}

describe('the estimate of the end', () => {
  it('is in the future if it exists', () => {
    fc.assert(
      fc.property(drawn, ({ graph, soFar }) => {
        const end = estimatedEndUs(graph, soFar) ?? NOW;
        expect(Number.isSafeInteger(end)).toBe(true);
        expect(end).toBeGreaterThanOrEqual(NOW);
      }),
    );
  });

  it('exists exactly when a step with a known start, or an item, has ended', () => {
    fc.assert(
      fc.property(drawn, ({ graph, soFar }) => {
        const reports = [...soFar.times].some(
          ([step, { startTimeUs, endTimeUs, items }]) =>
            (items?.ended ?? 0) > 0 ||
            (startTimeUs !== undefined &&
              endTimeUs !== undefined &&
              ['SUCCEEDED', 'FAILED'].includes(soFar.states.get(step) ?? 'WAITING')),
        );
        expect(estimatedEndUs(graph, soFar) !== undefined).toBe(reports);
      }),
    );
  });

  it('is now when nothing is left', () => {
    fc.assert(
      fc.property(drawn, ({ graph, soFar }) => {
        const over = new Map(graph.steps.map((_, step) => [step, 'SUCCEEDED'] as const));
        expect(estimatedEndUs(graph, { ...soFar, states: over }) ?? NOW).toBe(NOW);
      }),
    );
  });

  it('decreases with each item that ends, once durations of steps are known', () => {
    fc.assert(
      fc.property(drawn, fc.nat(20), (one, n) => {
        const { graph, soFar } = one;
        const step = n % graph.size;
        const before = estimatedEndUs(graph, soFar);
        const after = estimatedEndUs(graph, withItem(one, step));
        const isMeasured = [...soFar.times].some(
          ([at, { endTimeUs }]) =>
            endTimeUs !== undefined && ['SUCCEEDED', 'FAILED'].includes(soFar.states.get(at) ?? ''),
        );
        const hasBegun = (soFar.times.get(step)?.items?.ended ?? 0) > 0;
        if (before !== undefined && isMeasured && hasBegun) expect(after).toBeLessThanOrEqual(before);
      }),
    );
  });
});

describe('with known durations of steps, the estimate', () => {
  const chain = (...definitions: string[]) =>
    compileGraph({
      failureMode: 'FAIL_FAST',
      steps: definitions.map((definition, i) => ({
        ...{ name: `s${i}`, definition, definitionVersion: 0, rule: 'ALL_SUCCESS', role: 'NORMAL' },
        needs: i === 0 ? [] : [`s${i - 1}`],
        ...(definition === 'wide' && { fanOut: { items: '[]', maxParallel: 0 } }),
      })),
    });
  const seconds = (startedAgo: number, took?: number): StepTimes => ({
    startTimeUs: NOW - startedAgo * SECOND,
    endTimeUs: took === undefined ? undefined : NOW - (startedAgo - took) * SECOND,
    items: undefined,
  });
  const left = (graph: Graph, states: StepState[], times: StepTimes[]) => {
    const soFar = {
      phase: 'WORK' as const,
      states: new Map(states.entries()),
      times: new Map(times.entries()),
      nowUs: NOW,
    };
    return ((estimatedEndUs(graph, soFar) ?? Number.NaN) - NOW) / SECOND;
  };

  it('of a chain is the sum of the durations by definition, less the elapsed time', () => {
    const graph = chain('a', 'b', 'a', 'b');
    expect(left(graph, ['SUCCEEDED', 'SUCCEEDED', 'RUNNING'], [seconds(31, 10), seconds(21, 20), seconds(1)])).toBe(29);
  });

  it('of a fan-out assumes the rate so far', () => {
    const items = { size: 40, ended: 10 };
    expect(left(chain('wide'), ['RUNNING'], [{ ...seconds(5), items }])).toBe(15);
  });

  it('of steps that wait for the same workers assumes the rate so far', () => {
    const steps = Array.from({ length: 100 }, (_, i) => ({
      ...{
        name: `s${i}`,
        definition: 'a',
        definitionVersion: 0,
        rule: 'ALL_SUCCESS' as const,
        role: 'NORMAL' as const,
      },
      needs: [],
    }));
    const graph = compileGraph({ steps, failureMode: 'FAIL_FAST' });
    const states = steps.map((_, i): StepState => (i < 50 ? 'SUCCEEDED' : 'RUNNING'));
    const times = steps.map((_, i) => seconds(50, i < 50 ? i + 1 : undefined));
    expect(left(graph, states, times)).toBe(49);
  });
});
