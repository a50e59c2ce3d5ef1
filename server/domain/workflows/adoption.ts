/** What a retry takes over of a workflow that ended without success. */
import type { CompensationState } from './compensation.ts';
import type { Graph } from './graph.ts';
import { isCutShort } from './loop.ts';
import type { StepState } from './step-state.ts';

/** A step of the work there, of which something is known. */
export interface PastStep {
  readonly step: number;
  readonly state: StepState;
  readonly reason: string | undefined;
  /** Set where somebody has skipped it. */
  readonly skipReason: string | undefined;
  readonly compensation: CompensationState | undefined;
}

/**
 * Steps whose results are still good. All others of the work run again, but for those that their rules or conditions have skipped, and
 * with them whatever depends on them, over any number of steps: it has worked with what is gone, or with a failure that may be none
 * this time. So each step that is taken over has behind it what it had there, and what was skipped is so again.
 */
export function adoptable<T extends PastStep>(graph: Graph, past: readonly T[]): T[] {
  const settled = new Set(past.filter((one) => isGood(one) || staysSkipped(one)).map(({ step }) => step));
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

/** What was taken back, or was to be, is not; nor is a loop with passes still to come. */
function isGood({ state, reason, compensation = 'WAITING' }: PastStep): boolean {
  return state === 'SUCCEEDED' && compensation === 'WAITING' && !isCutShort(reason);
}

/** As long as nothing before it runs again. One that was skipped by hand is not: it was to be skipped that time. */
function staysSkipped({ state, skipReason }: PastStep): boolean {
  return state === 'SKIPPED' && skipReason === undefined;
}
