/** A wave: the consequences of some steps' ends for the steps that need them. */
import { type ItemChange, type NeededItems, withItems, withNeededItems } from './counted-items.ts';
import type { Graph } from './graph.ts';
import type { EndedStep, EndedStepState, StepState } from './step-state.ts';
import { decideRule, endedOf, noneEnded, type RuleDecision, type StepCounts, withEnd } from './trigger-rules.ts';

/** The stored state of a step. */
export interface StepRow {
  readonly state: StepState;
  /** Ends of the steps that it needs. */
  readonly counts: StepCounts;
  /** Those that it counts by their items. Undefined: none has ended or knows its items. */
  readonly neededItems?: NeededItems | undefined;
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
export function successorsOf(
  graph: Graph,
  ended: readonly EndedStep[],
  items: readonly ItemChange[] = [],
): Set<number> {
  return new Set([...ended, ...items].flatMap(({ step }) => graph.successors(step)));
}

/**
 * A step without a row is WAITING with counts of zero. Each end may be passed to one wave only, and each change of the
 * items of fan-outs that other steps count: their ends as steps are counted with these.
 *
 * A step is decided by the wave in which its counts first allow a decision. That depends on the counts alone: as long
 * as counts are kept from wave to wave, no later wave decides the step again, whether its state has been written in the
 * meantime or not.
 */
export function wave(
  graph: Graph,
  rows: ReadonlyMap<number, StepRow>,
  ended: readonly EndedStep[],
  items: readonly ItemChange[] = [],
): Wave {
  const changed = new Map<number, StepRow>();
  const rowOf = (step: number) => changed.get(step) ?? rows.get(step) ?? untouched;
  for (const { step, state } of ended)
    for (const next of graph.successors(step)) {
      const row = rowOf(next);
      const counts = graph.countsItemsOf(next, step) ? row.counts : withEnd(row.counts, state);
      changed.set(next, { ...row, counts });
    }
  for (const { step, change } of items)
    for (const next of graph.successors(step)) {
      const row = rowOf(next);
      // Nobody reads the items of one that was decided.
      if (row.state === 'WAITING' && graph.countsItemsOf(next, step))
        changed.set(next, { ...row, neededItems: withItems(row.neededItems, change) });
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
    const decision = decideNow(graph, step, before.get(step) ?? untouched, row);
    const state = endedBy[decision];
    if (decision === 'START') ready.push(step);
    if (!state) continue;
    rows.set(step, { ...row, state });
    ended.push({ step, state });
  }
  return { rows, ready, ended };
}

/** WAIT: there is nothing to decide, or it was decided before. */
function decideNow(graph: Graph, step: number, before: StepRow, after: StepRow): RuleDecision {
  const decision = decide(graph, step, after);
  return decide(graph, step, before) === 'WAIT' ? decision : 'WAIT';
}

function decide(graph: Graph, step: number, row: StepRow): RuleDecision {
  const { name, rule } = graph.step(step);
  const { counts, total } = withNeededItems(row.counts, graph.needCount(step), row.neededItems);
  if (endedOf(counts) > total) throw new Error(`step "${name}" got more ends than it needs steps`);
  return decideRule(rule, counts, total);
}
