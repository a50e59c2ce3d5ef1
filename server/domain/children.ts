/** A handler that waits for children of its job, and holds nothing meanwhile. */
import { cancelled, goOn } from './decide.ts';
import type { Change, ClosedAttempt, OpenRun } from './run.ts';

/** That a job's handlers may submit in all. */
export const MOST_CHILDREN = 100_000;
/** That a handler waits for at once. */
export const MOST_AWAITED = 1_000;
/** Jobs that are in each other: a child of a child, and so on. */
export const MOST_DEPTH = 16;

/** `open`: of the children that it waits for. The attempt does not count, and the job keeps its place in line. */
export function decideSuspend(run: OpenRun, open: number): Change {
  if (run.state === 'CANCELLING') return cancelled('suspend', run);
  const closed: ClosedAttempt = { outcome: 'SUSPENDED', counted: false };
  const state = open > 0 ? 'WAITING' : 'READY';
  const reason = open > 0 ? `its handler waits for ${open === 1 ? 'a child' : `${open} children`}` : null;
  return goOn('suspend', run, { state, dueTimeUs: run.limits.deadlineUs, losses: 0, reason, closed });
}
