/** Decisions about an open job when a time arrives that it waits for, or that it must keep. */

import { systemFailure } from '../base/payload.ts';
import type { RetryPolicy } from '../retries/retry-policy.ts';
import { afterFailure, continueAs, end, expiryOf, isSuspended, type Moment, requeue, waitsUntil } from './decide.ts';
import type { Change, Continue, End, OpenRun } from './run.ts';
import { closedBySuspension } from './suspension.ts';
import { earliest, overrunOf, type TimeLimits } from './time-limits.ts';

/** The job's `due_time` has come. Undefined: not yet, or nothing is due in this state. */
export function decideDue(run: OpenRun, policy: RetryPolicy, moment: Moment, limits?: TimeLimits): Change | undefined {
  if (run.dueTimeUs === null || run.dueTimeUs > moment.nowUs) return undefined;
  switch (run.state) {
    case 'SCHEDULED':
      // Checked first, since its time to run and its expiry may both have passed: READY even for a moment, it might
      // still be started.
      return (
        whyOver(run, moment.nowUs) ??
        continueAs('promote', run, { state: 'READY', dueTimeUs: waitsUntil(run), reason: null })
      );
    case 'ASSIGNED':
      return decideGraceOver(run, moment);
    case 'RUNNING':
      return decideGraceOver(run, moment) ?? decideOverrun(run, policy, moment, limits);
    case 'CANCELLING':
      return decideTimeOut(run, policy, moment);
    case 'PAUSED':
      if (run.begun) return stopLate(run);
      return whyOver(run, moment.nowUs) ?? expired(run);
    case 'BLOCKED':
    case 'READY':
      // Nothing else is due in these states, and a due time that is left would be found again for ever.
      return whyOver(run, moment.nowUs) ?? expired(run);
    case 'WAITING':
      return isSuspended(run) ? totalTimeOut(run) : stopLate(run);
    default:
      return undefined;
  }
}

/** A workflow cancels its steps first. They get the grace periods of their definitions, not that of an earlier pause. */
function stopLate(run: OpenRun): Continue {
  const reason = 'it did not end within its total timeout';
  return continueAs('timeOut', run, { state: 'WAITING', suspension: null, reason });
}

/** Ends a waiting job whose expiry or total timeout has passed. */
export function whyOver(run: OpenRun, nowUs: number): End | undefined {
  const expireTimeUs = expiryOf(run);
  if (expireTimeUs !== null && expireTimeUs <= nowUs) return expired(run);
  return run.limits.deadlineUs !== null && run.limits.deadlineUs <= nowUs ? totalTimeOut(run) : undefined;
}

/**
 * The handler was asked to stop, and did not within the grace period: the attempt is closed, and nothing that it still
 * reports counts. Undefined: not yet. A total timeout that has passed ends the job.
 */
function decideGraceOver(run: OpenRun, { nowUs }: Moment): Change | undefined {
  if (!run.suspension || run.suspension.untilUs > nowUs) return undefined;
  const { deadlineUs } = run.limits;
  if (deadlineUs !== null && deadlineUs <= nowUs) return totalTimeOut(run, run.attemptCount + 1);
  const reason = 'its handler did not stop within the grace period';
  return requeue('suspend', run, 0, nowUs, { ...closedBySuspension(run), reason });
}

/** A RUNNING attempt reached its run timeout, or a CANCELLING one the end of its grace period. */
export function decideTimeOut(run: OpenRun, policy: RetryPolicy, moment: Moment): Change {
  return late(run, 'RunTimeout', `ran longer than its run timeout of ${run.runTimeoutMs} ms`, policy, moment);
}

function late(run: OpenRun, type: string, what: string, policy: RetryPolicy, moment: Moment): Change {
  return afterFailure('timeOut', run, systemFailure('TIMEOUT', type, `the attempt ${what}`), policy, moment);
}

/** A RUNNING attempt exceeded one of its time limits: which one, and the consequence. */
function decideOverrun(run: OpenRun, policy: RetryPolicy, moment: Moment, limits: TimeLimits | undefined): Change {
  const { minFraction = 0, windowMs = 0 } = limits?.watchdog ?? {};
  switch (overrunOf(run.limits, limits?.watchdog, moment.nowUs)) {
    case 'TOTAL':
      return totalTimeOut(run, run.attemptCount + 1);
    case 'RUN':
      return decideTimeOut(run, policy, moment);
    case 'SILENT':
      return late(run, 'ProgressTimeout', `reported no progress in ${limits?.progressTimeoutMs} ms`, policy, moment);
    case 'SLOW':
      return late(run, 'ProgressTooSlow', `made less progress than ${minFraction} in ${windowMs} ms`, policy, moment);
    case 'ON_PACE':
      return watchOn(run, moment.nowUs, windowMs);
  }
}

/** Starts the watchdog's next window. */
function watchOn(run: OpenRun, nowUs: number, windowMs: number): Continue {
  const { deadlineUs, runDeadlineUs, quietDeadlineUs, progressFraction } = run.limits;
  const watch = { untilUs: nowUs + windowMs * 1000, fraction: progressFraction ?? 0 };
  const dueTimeUs = earliest(deadlineUs, runDeadlineUs, quietDeadlineUs, watch.untilUs, run.suspension?.untilUs);
  return continueAs('watch', run, { state: 'RUNNING', dueTimeUs, watch });
}

function totalTimeOut(run: OpenRun, attemptCount = run.attemptCount): End {
  const message = 'it did not end within its total timeout';
  const failure = systemFailure('TIMEOUT', 'TotalTimeout', message);
  return end('timeOut', run, 'FAILED', { failure, attemptCount, reason: message });
}

export function expired(run: OpenRun): End {
  return end('expire', run, 'EXPIRED', {
    failure: systemFailure('EXPIRED', 'Expired', 'it was not started before its expiry'),
    reason: null,
  });
}
