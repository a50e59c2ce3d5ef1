/** Which spans of a job end with a change of its state. Every span ends with exactly one change. */

import { heldStates, isTerminal, type JobState } from '../jobs/job-state.ts';
import { isMiss } from '../jobs/soft-deadline.ts';
import type { JobSpan } from './job-spans.ts';

/** A change of a job's state. */
export interface SpanChange {
  /** The attempt that the change belongs to; 0: none. */
  readonly attempt: number;
  /** Undefined: the job was created. */
  readonly previousState: JobState | undefined;
  readonly state: JobState;
}

/** Whether the change can end spans. */
export function closesSpans(change: SpanChange): boolean {
  const { previousState, state } = change;
  if (isMiss(change)) return false;
  return isTerminal(state) || (isHeld(previousState) && !isHeld(state));
}

/**
 * The spans that end with the change: those of its attempt if a session gave that back or lost it, all remaining ones
 * if the job ends.
 *
 * @param spans The job's spans, computed at any time after the change.
 */
export function closedSpans(change: SpanChange, spans: readonly JobSpan[]): JobSpan[] {
  const gaveBack = isHeld(change.previousState) && !isHeld(change.state);
  return spans.filter(({ phase, attempt, endTimeUs }) => {
    if (endTimeUs === undefined) return false;
    if (phase === 'job') return isTerminal(change.state);
    if (gaveBack) return attempt === change.attempt;
    return isTerminal(change.state) && attempt > lastAttempt(spans);
  });
}

/** Number of the last attempt; 0: there was none. */
function lastAttempt(spans: readonly JobSpan[]): number {
  return spans.reduce((last, { phase, attempt }) => (phase === 'attempt' ? attempt : last), 0);
}

function isHeld(state: JobState | undefined): boolean {
  return state !== undefined && (heldStates as readonly string[]).includes(state);
}
