/** A wave: the consequences of some steps' ends for the steps that need them. */
import type { Graph } from './graph.ts';
import type { EndedStep, EndedStepState, StepState } from './step-state.ts';
import { decideRule, endedOf, noneEnded, type RuleDecision, type StepCounts, withEnd } from './trigger-rules.ts';

/** The stored state of a step. */
export interface StepRow {
  readonly state: StepState;
  /** Ends of the steps that it needs. */
  readonly counts: StepCounts;
}

export interface Wave {
  /** Changed rows with their new values. Those of steps in `ready` are still WAITING. */
  readonly rows: ReadonlyMap<number, StepRow>;
  /**
   * Steps that may start now. Each step appears here once in the life of a workflow; the caller must start or end it.
   */
  readonly ready: readonly number[];
  /** Steps that have ended without a job: the input of the next wave. */
  readonly ended: readonly EndedStep[];
}

const untouched: StepRow = { state: 'WAITING', counts: noneEnded };

const endedBy: Readonly<Partial<Record<RuleDecision, EndedStepState>>> = {
  SKIP: 'SKIPPED',
  UPSTREAM_FAILED: 'UPSTREAM_FAILED',
};

/** The steps whose rows a wave reads and may change. */
export function successorsOf(graph: Graph, ended: readonly EndedStep[]): Set<number> {
  return new Set(ended.flatMap(({ step }) => graph.successors(step)));
}

/**
 * A step without a row is WAITING with counts of zero. Each end may be passed to one wave only.
 *
 * A step is decided by the wave in which its counts first allow a decision. That depends on the counts alone: as long
 * as counts are kept from wave to wave, no later wave decides the step again, whether its state has been written in the
 * meantime or not.
 */
export function wave(graph: Graph, rows: ReadonlyMap<number, StepRow>, ended: readonly EndedStep[]): Wave {
  const changed = new Map<number, StepRow>();
  for (const { step, state } of ended)
    for (const next of graph.successors(step)) {
      const row = changed.get(next) ?? rows.get(next) ?? untouched;
      changed.set(next, { ...row, counts: withEnd(row.counts, state) });
    }
  // The caller's rows may be older than the ends passed here, so the states of the ended steps are set again.
  for (const { step, state } of ended) {
    const row = changed.get(step);
    if (row) changed.set(step, { ...row, state });
  }
  return decideAll(graph, rows, changed);
}

function decideAll(graph: Graph, before: ReadonlyMap<number, StepRow>, rows: Map<number, StepRow>): Wave {
  const ready: number[] = [];
  const ended: EndedStep[] = [];
  for (const [step, row] of rows) {
    if (row.state !== 'WAITING') continue;
    const decision = decideNow(graph, step, (before.get(step) ?? untouched).counts, row.counts);
    const state = endedBy[decision];
    if (decision === 'START') ready.push(step);
    if (!state) continue;
    rows.set(step, { ...row, state });
    ended.push({ step, state });
  }
  return { rows, ready, ended };
}

/** WAIT: there is nothing to decide, or it was decided before. */
function decideNow(graph: Graph, step: number, before: StepCounts, after: StepCounts): RuleDecision {
  const { name, rule, needs } = graph.step(step);
  if (endedOf(after) > needs.length) throw new Error(`step "${name}" got more ends than it needs steps`);
  return decideRule(rule, before, needs.length) === 'WAIT' ? decideRule(rule, after, needs.length) : 'WAIT';
}
