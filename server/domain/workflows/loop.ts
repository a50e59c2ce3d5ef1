/** What follows a successful pass of a loop, and the reason if there is no time for another pass. */
import type { Loop } from './workflow.ts';

/**
 * DONE: the step succeeds with the output of this pass. EXHAUSTED: it fails, because the condition still holds after
 * the last pass.
 */
export type LoopDecision = 'AGAIN' | 'DONE' | 'EXHAUSTED';

/** `iteration`: number of the pass, from 0. `holds`: the expression asks for another pass. */
export function decideLoop({ maxIterations }: Loop, iteration: number, holds: boolean): LoopDecision {
  if (!holds) return 'DONE';
  return iteration + 1 < maxIterations ? 'AGAIN' : 'EXHAUSTED';
}

const cutShortText = 'cut short after ';

/**
 * Reason of a step whose workflow stops before the loop's next pass. The step has succeeded with its passes so far, and
 * can be compensated, but a retry runs it again.
 */
export function cutShort(passes: number): string {
  return `${cutShortText}${passes} ${passes === 1 ? 'pass' : 'passes'}: its loop still holds`;
}

/** `reason`: that of a successful step. */
export function isCutShort(reason: string | undefined): boolean {
  return reason?.startsWith(cutShortText) ?? false;
}
