/** A wave: what the ends of some steps mean for the steps that need them. */
import type { Graph } from './graph.ts';
import type { EndedStep, EndedStepState, StepState } from './step-state.ts';
import { decideRule, endedOf, noneEnded, type RuleDecision, type StepCounts, withEnd } from './trigger-rules.ts';

/** What is kept of a step. */
export interface StepRow {
  readonly state: StepState;
  /** Of the steps that it needs. */
  readonly counts: StepCounts;
}

export interface Wave {
  /** Rows that have changed, as they are now. Those of steps in `ready` are still WAITING. */
  readonly rows: ReadonlyMap<number, StepRow>;
  /** Steps that may start now. Each is found so once in the life of a workflow; whoever gets it must start or end it. */
  readonly ready: readonly number[];
  /** Steps that have ended without a job: what the next wave is of. */
  readonly ended: readonly EndedStep[];
}

const untouched: StepRow = { state: 'WAITING', counts: noneEnded };

const endedBy: Readonly<Partial<Record<RuleDecision, EndedStepState>>> = {
  SKIP: 'SKIPPED',
  UPSTREAM_FAILED: 'UPSTREAM_FAILED',
};

/** Whose rows a wave needs, and may change. */
export function successorsOf(graph: Graph, ended: readonly EndedStep[]): Set<number> {
  return new Set(ended.flatMap(({ step }) => graph.successors(step)));
}

/**
 * A step without a row is one of which nothing is known. Each end may come in one wave only.
 *
 * A step is decided by the wave in which its counts begin to say so. That follows from what is counted alone: as long as counts are
 * kept from wave to wave, no later one decides it again, whether its state has been written in the meantime or not.
 */
export function wave(graph: Graph, rows: ReadonlyMap<number, StepRow>, ended: readonly EndedStep[]): Wave {
  const changed = new Map<number, StepRow>();
  for (const { step, state } of ended)
    for (const next of graph.successors(step)) {
      const row = changed.get(next) ?? rows.get(next) ?? untouched;
      changed.set(next, { ...row, counts: withEnd(row.counts, state) });
    }
  // The caller's rows may be from before: an end that is told here may not be taken back.
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

/** WAIT: there is nothing to decide, or it had been decided before. */
function decideNow(graph: Graph, step: number, before: StepCounts, after: StepCounts): RuleDecision {
  const { name, rule, needs } = graph.step(step);
  if (endedOf(after) > needs.length) throw new Error(`step "${name}" was told of more ends than it needs steps`);
  return decideRule(rule, before, needs.length) === 'WAIT' ? decideRule(rule, after, needs.length) : 'WAIT';
}
