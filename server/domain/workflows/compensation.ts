/** What takes back what steps have done: which of them have it, and in which order. */

import type { Problems } from './checks/problems.ts';
import type { Graph } from './graph.ts';
import type { EndedStep } from './step-state.ts';
import { MAX_STEPS, type WorkflowStep } from './workflow.ts';

/** How far a step's compensation is. WAITING: it has not been called for, or its turn has not come. */
export type CompensationState = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

/** The job of a compensation is that of a step with this number: so nothing that is told to a step's jobs is told to it. */
export function compensationOf(step: number): number {
  return MAX_STEPS + step;
}

/** The step that it takes back; undefined: it is a step's own number. */
export function compensatedStep(number: number): number | undefined {
  return number >= MAX_STEPS ? number - MAX_STEPS : undefined;
}

/** Only steps of the work can be: the others have none. */
export function isCompensable(graph: Graph, { step, state }: EndedStep): boolean {
  return state === 'SUCCEEDED' && graph.step(step).compensation !== undefined;
}

export interface Compensable {
  readonly step: number;
  /** Its place in the order in which the steps of the work have ended. No two are alike. */
  readonly endNumber: number;
}

/** The one that ended last. */
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
        'is set beside fan_out; give each item a workflow whose step has it, or compensate all items in one ON_FAILURE step',
      );
  }
}
