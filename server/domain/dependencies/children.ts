/** Handlers that wait for children of their job and give up their slot meanwhile. */

import { systemFailure } from '../base/payload.ts';
import { cancelled, continueAs, end, type Moment, requeue, withOneMoreRelease } from '../jobs/decide.ts';
import type { Change, OpenRun } from '../jobs/run.ts';
import { closedBySuspension } from '../jobs/suspension.ts';

/** Step numbers of handler children, which have no step of a workflow. Their ends are notified by another path. */
export const ATTACHED = -1;
export const DETACHED = -2;

/** Maximum children that a job's handlers may submit in total. */
export const MAX_CHILDREN = 100_000;
/** Maximum children that a handler waits for at once. */
export const MAX_AWAITED = 1_000;
/** Maximum times that the handlers of one job may wait for children: each wait may be for one more child. */
export const MAX_SUSPENSIONS = MAX_CHILDREN;
/** Maximum nesting of jobs: a child of a child, and so on. */
export const MAX_DEPTH = 16;

/**
 * Suspends a job whose handler stopped on request, or waits for children; `open` is the number of them that have not
 * ended. The attempt does not count, and the job keeps its rank. If nobody asked it to stop and no child is open, the
 * report may just have come too late, so the job is ready again at once; a handler that does so over and over backs off
 * as if it were released.
 */
export function decideSuspend(run: OpenRun, open: number, moment: Moment): Change {
  if (run.state === 'CANCELLING') return cancelled('suspend', run);
  if (run.suspensions >= MAX_SUSPENSIONS) return end('suspend', run, 'FAILED', tooOften(run));
  const rest = { consecutiveLosses: 0, ...closedBySuspension(run) };
  if (run.suspension && open === 0) return requeue('suspend', run, 0, moment.nowUs, { ...rest, reason: null });
  if (open === 0) {
    const { delayMs, ...counts } = withOneMoreRelease(run, moment);
    const reason = delayMs > 0 ? 'its handler stops again and again, with nothing to wait for' : null;
    return requeue('suspend', run, delayMs, moment.nowUs, { ...rest, ...counts, reason });
  }
  const reason = `its handler waits for ${open === 1 ? 'a child' : `${open} children`}`;
  return continueAs('suspend', run, { state: 'WAITING', dueTimeUs: run.limits.deadlineUs, reason, ...rest });
}

function tooOften({ suspensions }: OpenRun) {
  const message = `its handler has waited ${suspensions} times for children, and wants to once more`;
  return { failure: systemFailure('APPLICATION', 'WaitedTooOften', message), reason: message };
}
