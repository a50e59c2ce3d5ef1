/** What a retry takes over from a workflow that ended without success. */
import type { CompensationState } from './compensation.ts';
import type { FanOutState } from './fan-out.ts';
import type { Graph } from './graph.ts';
import { isCutShort } from './loop.ts';
import type { StepState } from './step-state.ts';

/** A step of the previous run with known state. */
export interface PastStep {
  readonly step: number;
  readonly state: StepState;
  readonly reason: string | undefined;
  /** Set if the step was skipped manually. */
  readonly skipReason: string | undefined;
  readonly compensation: CompensationState | undefined;
  readonly fanOut?: FanOutState | undefined;
}

/**
 * Steps whose results can be reused. All other steps of the work run again, except those that their rules or conditions
 * skipped; and so do all steps that depend on them, directly or indirectly: their results are based on a state that is
 * gone, or on a failure that may not happen this time. So everything that an adopted step depends on is adopted or
 * stays skipped.
 */
export function adoptable<T extends PastStep>(graph: Graph, past: readonly T[]): T[] {
  const kept = without(graph, past);
  const settled = new Set(kept.filter((one) => isGood(one) || staysSkipped(one)).map(({ step }) => step));
  const open = graph.steps.flatMap(({ role }, step) => (role === 'NORMAL' && !settled.has(step) ? [step] : []));
  const again = new Set(open);
  for (let step = open.pop(); step !== undefined; step = open.pop())
    for (const next of graph.successors(step)) {
      if (again.has(next)) continue;
      again.add(next);
      open.push(next);
    }
  return past.filter((one) => isGood(one) && !again.has(one.step));
}

/**
 * Leaves out fan-outs with items that did not succeed, if a step that counts items could not start: it would not start
 * this time either.
 */
function without<T extends PastStep>(graph: Graph, past: readonly T[]): readonly T[] {
  const stuck = new Set(past.flatMap(({ step, state }) => (state === 'UPSTREAM_FAILED' ? step : [])));
  const isInTheWay = ({ step, fanOut }: PastStep) =>
    fanOut?.counted !== undefined &&
    fanOut.counted.succeeded < fanOut.size &&
    graph.successors(step).some((next) => stuck.has(next) && graph.step(next).countsItems);
  return past.filter((one) => !isInTheWay(one));
}

/** A step that was compensated, or was about to be, is not reusable; nor is a loop that was cut short. */
function isGood({ state, reason, compensation = 'WAITING' }: PastStep): boolean {
  return state === 'SUCCEEDED' && compensation === 'WAITING' && !isCutShort(reason);
}

/**
 * Only while nothing before it runs again. A step that was skipped manually does not stay skipped: that was meant for
 * the previous run.
 */
function staysSkipped({ state, skipReason }: PastStep): boolean {
  return state === 'SKIPPED' && skipReason === undefined;
}
