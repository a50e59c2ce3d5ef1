/** What comes after a pass of a loop that succeeded, and what is said of one that has no time for it. */
import type { Loop } from './workflow.ts';

/** DONE: the step succeeds with the output of this pass. EXHAUSTED: it fails, since the loop has not become good. */
export type LoopDecision = 'AGAIN' | 'DONE' | 'EXHAUSTED';

/** `iteration` is the number of the pass, from 0; `holds`, whether the expression says once more. */
export function decideLoop({ maxIterations }: Loop, iteration: number, holds: boolean): LoopDecision {
  if (!holds) return 'DONE';
  return iteration + 1 < maxIterations ? 'AGAIN' : 'EXHAUSTED';
}

const cutShortText = 'cut short after ';

/** Of a step whose workflow stops before its next pass: it has succeeded as far as it came, and is taken back, but a retry runs it again. */
export function cutShort(passes: number): string {
  return `${cutShortText}${passes} ${passes === 1 ? 'pass' : 'passes'}: its loop still holds`;
}

/** By the reason of a step that has succeeded. */
export function isCutShort(reason: string | undefined): boolean {
  return reason?.startsWith(cutShortText) ?? false;
}
