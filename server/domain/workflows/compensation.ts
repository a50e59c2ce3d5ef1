/** Compensations undo what steps have done: which steps have one, and in which order they run. */

import type { Problems } from './checks/problems.ts';
import type { Graph } from './graph.ts';
import type { EndedStep } from './step-state.ts';
import { MAX_STEPS, type WorkflowStep } from './workflow.ts';

/** Progress of a step's compensation. WAITING: it is not needed yet, or its turn has not come. */
export type CompensationState = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

/**
 * Step number of a compensation's job. It differs from every step's own number, so that inbox rows for the jobs of a
 * step never reach its compensation.
 */
export function compensationOf(step: number): number {
  return MAX_STEPS + step;
}

/** The step that it compensates; undefined: the number is a step's own. */
export function compensatedStep(number: number): number | undefined {
  return number >= MAX_STEPS ? number - MAX_STEPS : undefined;
}

/** Only steps of the work can be compensated: the others have no compensation. */
export function isCompensable(graph: Graph, { step, state }: EndedStep): boolean {
  return state === 'SUCCEEDED' && graph.step(step).compensation !== undefined;
}

export interface Compensable {
  readonly step: number;
  /** Its position in the order in which the steps of the work have ended. Unique. */
  readonly endNumber: number;
}

/** The compensation of the step that ended last. */
export function nextCompensation<T extends Compensable>(waiting: Iterable<T>): T | undefined {
  let last: T | undefined;
  for (const one of waiting) if (!last || one.endNumber > last.endNumber) last = one;
  return last;
}

export function checkCompensations(steps: readonly WorkflowStep[], field: string, problems: Problems): void {
  for (const [i, { compensation, role, fanOut }] of steps.entries()) {
    if (!compensation) continue;
    const place = `${field}[${i}].compensation`;
    if (role !== 'NORMAL')
      problems.add(place, `is set at a step of the role ${role}; only steps of the work (NORMAL) are compensated`);
    if (fanOut)
      problems.add(
        place,
        'is set together with fan_out; give each item a workflow whose step has it, or compensate all items in one ON_FAILURE step',
      );
  }
}
