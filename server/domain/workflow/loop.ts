/** What comes after a pass of a loop that succeeded. */
import type { Loop } from './workflow.ts';

/** DONE: the step succeeds with the output of this pass. EXHAUSTED: it fails, since the loop has not become good. */
export type LoopDecision = 'AGAIN' | 'DONE' | 'EXHAUSTED';

/** `iteration` is the number of the pass, from 0; `holds`, whether the expression says once more. */
export function decideLoop({ maxIterations }: Loop, iteration: number, holds: boolean): LoopDecision {
  if (!holds) return 'DONE';
  return iteration + 1 < maxIterations ? 'AGAIN' : 'EXHAUSTED';
}
