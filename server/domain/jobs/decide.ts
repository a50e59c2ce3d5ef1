/**
 * Decisions about an open job when an attempt ends, somebody cancels it, or a time has come. Pure: time and randomness
 * are parameters.
 */

import { type Failure, systemFailure } from '../base/payload.ts';
import { rankOf } from '../dispatch/rank.ts';
import { backoffMs, lossBackoff, releaseBackoff } from '../retries/backoff.ts';
import type { RetryPolicy } from '../retries/retry-policy.ts';
import { judgeFailure } from '../retries/retry-verdict.ts';
import { lastStageOf } from './cancel-stage.ts';
import { type JobEvent, transitions } from './job-state.ts';
import { afterLoss, isSuspect, type LossCounts, MAX_LOSSES, verdictOf, wastedOf } from './losses.ts';
import type { Change, ClosedAttempt, Continue, End, OpenRun } from './run.ts';
import { pausesNext, reasonOfPause, suspensionIn } from './suspension.ts';
import { earliest } from './time-limits.ts';

export interface Moment {
  /** The database's clock, in microseconds. */
  readonly nowUs: number;
  /** From 0 up to, not including, 1. */
  readonly random: number;
}

const RELEASE_WINDOW_US = 60_000_000;
const RELEASES_PER_WINDOW = 10;

export function end(event: JobEvent, run: OpenRun, state: End['state'], rest: Partial<End> = {}): End {
  return { kind: 'end', event, run, state, attemptCount: run.attemptCount, reason: run.reason, ...rest };
}

export function continueAs(event: JobEvent, run: OpenRun, rest: Partial<Continue> & Pick<Continue, 'state'>): Continue {
  const {
    laneId,
    rank,
    attemptCount,
    consecutiveLosses,
    suspectLosses,
    totalLosses,
    failures,
    releases,
    releasesSinceUs,
    suspensions,
    timeoutsStopped,
    reason,
  } = run;
  const { suspension = suspensionIn(rest.state, run.suspension) } = rest;
  return {
    kind: 'continue',
    event,
    run,
    laneId,
    rank,
    dueTimeUs: null,
    attemptCount,
    consecutiveLosses,
    suspectLosses,
    totalLosses,
    failures,
    releases,
    releasesSinceUs,
    suspensions,
    deadlineUs: run.limits.deadlineUs,
    timeoutsStopped,
    begun: run.begun && rest.state === 'PAUSED',
    pausedWithParent: run.pausedWithParent && (rest.state === 'PAUSED' || suspension !== null),
    exhausted: run.exhausted && rest.state === 'PAUSED',
    retriesSinceUs: run.retriesSinceUs,
    reason,
    ...rest,
    suspension,
  };
}

/** Until when a job may wait: its expiry while that still applies, and its total timeout. Null: for ever. */
export function waitsUntil(
  run: Pick<OpenRun, 'attemptCount' | 'totalLosses' | 'children' | 'suspensions' | 'expireTimeUs' | 'limits'>,
): number | null {
  return earliest(expiryOf(run), run.limits.deadlineUs);
}

/**
 * The expiry, which applies only until work has started: a released attempt has started nothing, any other attempt may
 * have.
 */
export function expiryOf(
  run: Pick<OpenRun, 'attemptCount' | 'totalLosses' | 'children' | 'suspensions' | 'expireTimeUs'>,
): number | null {
  const { attemptCount, totalLosses, children, suspensions, expireTimeUs } = run;
  return attemptCount + totalLosses + children + suspensions === 0 ? expireTimeUs : null;
}

/** READY at once, SCHEDULED until the delay is over, or PAUSED if somebody wants that. */
export function requeue(
  event: JobEvent,
  run: OpenRun,
  delayMs: number,
  nowUs: number,
  rest: Partial<Continue>,
): Change {
  const expireTimeUs = expiryOf({ ...run, ...rest });
  const { deadlineUs } = run.limits;
  const waitUs = earliest(expireTimeUs, deadlineUs);
  const timeUs = nowUs + delayMs * 1000;
  if (delayMs > 0 && deadlineUs !== null && timeUs > deadlineUs) return endLate(event, run, rest);
  if (pausesNext(run)) {
    const runTimeUs = delayMs > 0 ? timeUs : null;
    const reason = reasonOfPause(run, rest.reason);
    return continueAs(event, run, { state: 'PAUSED', dueTimeUs: waitUs, runTimeUs, ...rest, reason });
  }
  if (delayMs <= 0) return continueAs(event, run, { state: 'READY', dueTimeUs: waitUs, ...rest });
  return continueAs(event, run, {
    state: 'SCHEDULED',
    dueTimeUs: timeUs,
    rank: rankOf(timeUs, run.priority, expireTimeUs),
    ...rest,
  });
}

/** No time is left for another attempt; the failure of the last one stays on record. */
function endLate(event: JobEvent, run: OpenRun, rest: Partial<Continue>): End {
  const last = rest.closed?.failure;
  const message = 'its total timeout leaves no time for another attempt';
  const failure = { ...systemFailure('TIMEOUT', 'TotalTimeout', message), ...(last ? { cause: last } : {}) };
  const { attemptCount = run.attemptCount } = rest;
  return end(event, run, 'FAILED', { failure, attemptCount, reason: message });
}

/** Whether its handler waits for children. A workflow is also WAITING, but has no attempt. */
export function isSuspended({ state, attempt }: Pick<OpenRun, 'state' | 'attempt'>): boolean {
  return state === 'WAITING' && attempt > 0;
}

export function cancelled(event: JobEvent, run: OpenRun): End {
  const failure = systemFailure('CANCELLED', 'Cancelled', run.reason ?? 'cancelled');
  return end(event, run, 'CANCELLED', { failure, cancelStage: lastStageOf(event) });
}

/** An attempt failed or timed out: the policy decides on another attempt, a pause, or the end. */
export function afterFailure(
  event: 'fail' | 'timeOut',
  run: OpenRun,
  failure: Failure,
  policy: RetryPolicy,
  moment: Moment,
): Change {
  if (run.state === 'CANCELLING') return cancelled(event, run);
  const verdict = judgeFailure(run, failure, policy, moment);
  const { attemptCount, failures, reason } = verdict;
  if (verdict.kind === 'stop') return end(event, run, 'FAILED', { failure: verdict.failure, attemptCount, reason });
  const counted = attemptCount > run.attemptCount;
  // A worker enforces the run timeout too, and may report it first.
  const outcome = failure.failureCause === 'TIMEOUT' ? 'TIMED_OUT' : 'FAILED';
  const totalLosses = run.totalLosses + (counted ? 0 : 1);
  const rest = {
    attemptCount,
    failures,
    totalLosses,
    consecutiveLosses: 0,
    reason,
    closed: { outcome, counted, failure },
  } as const;
  if (verdict.kind === 'pause') return pauseForPerson(event, run, { ...rest, exhausted: verdict.exhausted });
  return requeue(event, run, verdict.delayMs, moment.nowUs, rest);
}

/** The policy wants a person to decide. A workflow or a batch that is resumed leaves the job as it is. */
export function pauseForPerson(event: JobEvent, run: OpenRun, rest: Partial<Continue>): Continue {
  return continueAs(event, run, {
    state: 'PAUSED',
    dueTimeUs: waitsUntil({ ...run, ...rest }),
    ...rest,
    pausedWithParent: false,
  });
}

/** The worker reported a failure. */
export function decideFail(run: OpenRun, failure: Failure, policy: RetryPolicy, moment: Moment): Change {
  return afterFailure('fail', run, failure, policy, moment);
}

/** Counts a released attempt, and computes the delay after many releases within a minute. */
export function withOneMoreRelease(run: OpenRun, { nowUs, random }: Moment) {
  const fresh = run.releasesSinceUs === null || nowUs - run.releasesSinceUs > RELEASE_WINDOW_US;
  const releases = fresh ? 1 : run.releases + 1;
  const over = releases - RELEASES_PER_WINDOW;
  const delayMs = over > 0 ? Math.max(1, backoffMs(releaseBackoff, over, random)) : 0;
  return { releases, releasesSinceUs: fresh ? nowUs : run.releasesSinceUs, delayMs };
}

/**
 * The handler was never started, so no attempt is counted. A job that is released over and over backs off, and ends
 * with its hundredth wasted attempt. An attempt that was seen running can't be released: it counts as aborted.
 */
export function decideRelease(run: OpenRun, why: string, moment: Moment): Change {
  if (run.state === 'CANCELLING') return cancelled('release', run);
  if (run.state === 'RUNNING') return decideAbort(run, moment);
  const { delayMs, ...counts } = withOneMoreRelease(run, moment);
  const reason = delayMs > 0 ? `released ${counts.releases} times within a minute, last by ${why}` : null;
  const wasted = wastedOf(run, run.totalLosses);
  const closed: ClosedAttempt = { outcome: 'RELEASED', counted: false, why };
  if (wasted >= MAX_LOSSES) {
    const message = `${wasted} attempts were lost or released, the last by ${why}`;
    const failure = systemFailure('LOST_TOO_OFTEN', 'LostTooOften', message);
    return end('release', run, 'FAILED', { failure, reason: message, exhausted: { ...closed, failure } });
  }
  return requeue('release', run, delayMs, moment.nowUs, { ...counts, reason, closed });
}

/** The worker stopped the handler because it could not prove its lease. No attempt is counted. */
export function decideAbort(run: OpenRun, moment: Moment): Change {
  if (run.state === 'CANCELLING') return cancelled('abort', run);
  const failure = systemFailure(
    'LEASE_LOST',
    'LeaseLost',
    'the worker could not prove its lease and stopped the handler',
  );
  const closed: ClosedAttempt = { outcome: 'ABORTED', counted: false, failure };
  const counts = afterLoss(run, false);
  const delayMs = Math.max(1, backoffMs(lossBackoff, counts.totalLosses, moment.random));
  return afterLost('abort', run, counts, delayMs, moment.nowUs, { closed, reason: 'its worker lost its lease' });
}

/** Another attempt, unless the losses so far show that it would be lost too. */
function afterLost(
  event: JobEvent,
  run: OpenRun,
  counts: LossCounts,
  delayMs: number,
  nowUs: number,
  rest: Partial<Continue>,
): Change {
  const wasted = wastedOf(run, counts.totalLosses);
  const verdict = verdictOf(counts.suspectLosses, wasted);
  if (verdict === 'CONTINUE') return requeue(event, run, delayMs, nowUs, { ...rest, ...counts });
  const message =
    verdict === 'POISON'
      ? `${counts.suspectLosses} workers in a row were lost while they ran this job and no other suspect`
      : `${wasted} attempts were lost with their workers or released, without a report of the cause`;
  const cause = rest.closed?.failure;
  const failure = { ...systemFailure(verdict, verdict === 'POISON' ? 'Poison' : 'LostTooOften', message), cause };
  const exhausted = rest.closed && { ...rest.closed, failure };
  return end(event, run, 'FAILED', { failure, reason: message, exhausted });
}

export type SessionEnd = keyof typeof sessionEnds;

const lapse = {
  event: 'lapse',
  outcome: 'LAPSED',
  failure: systemFailure('LOST_WORKER', 'WorkerLost', "the worker's lease lapsed before it reported"),
} as const;

const sessionEnds = {
  LAPSE: { ...lapse, isSuspicious: true },
  MASS_LAPSE: { ...lapse, isSuspicious: false },
  CLOSE: {
    event: 'closeSession',
    outcome: 'SESSION_CLOSED',
    failure: systemFailure('SESSION_CLOSED', 'SessionClosed', 'the worker closed its session before it reported'),
    isSuspicious: false,
  },
  WORKER_LOST: {
    event: 'closeSession',
    outcome: 'SESSION_CLOSED',
    failure: systemFailure('LOST_WORKER', 'WorkerLost', "the worker's process died before it reported"),
    isSuspicious: true,
  },
} as const;

/**
 * The session ended before a report. After the first loss the job is ready at once, after later ones with a backoff.
 */
export function decideSessionEnd(run: OpenRun, how: SessionEnd, moment: Moment): Change {
  const { event, outcome, failure, isSuspicious } = sessionEnds[how];
  if (run.state === 'CANCELLING') return cancelled(event, run);
  const counts = afterLoss(run, isSuspicious);
  const delayMs =
    counts.totalLosses === 1 ? 0 : Math.max(1, backoffMs(lossBackoff, counts.totalLosses - 1, moment.random));
  const closed: ClosedAttempt = { outcome, counted: false, failure };
  const reason = isSuspect(counts)
    ? `${failure.message}, ${counts.consecutiveLosses} times in a row: it no longer runs together with another suspect`
    : failure.message;
  return afterLost(event, run, counts, delayMs, moment.nowUs, { closed, reason });
}

/** The worker reports that it stopped for a cancel. Without a cancel on record the attempt counts as aborted. */
export function decideConfirmCancel(run: OpenRun, moment: Moment): Change {
  if (run.state === 'CANCELLING') return cancelled('confirmCancel', run);
  return { ...decideAbort(run, moment), event: 'confirmCancel' };
}

/**
 * Somebody cancels the job. `askedMs`: the requested grace period, in place of the definition's; 0: a job that is held
 * ends now, and nothing that its handler still reports counts. Undefined: no change, it is being cancelled already, and
 * no later than asked.
 */
export function decideCancel(
  run: OpenRun,
  why: string,
  graceMs: number,
  { nowUs }: Moment,
  askedMs?: number,
): Change | undefined {
  const [to] = transitions.requestCancel[run.state] ?? [];
  if (!to) return undefined;
  const reason = why || 'cancelled on request';
  const asked = { ...run, reason };
  if (run.sessionId !== null && askedMs === 0) return { ...cancelled('requestCancel', asked), cancelStage: 'FENCED' };
  if (run.state === 'CANCELLING') return decideHasten(run, askedMs, nowUs);
  // A workflow ends once its steps and their clean-ups have ended.
  if (run.begun || (run.state === 'WAITING' && !isSuspended(run))) {
    const suspension = askedMs === undefined ? null : { untilUs: nowUs + askedMs * 1000, to: 'PAUSED' as const };
    return continueAs('requestCancel', run, { state: 'CANCELLING', suspension, reason });
  }
  if (to === 'CANCELLED' || isSuspended(run)) return cancelled('requestCancel', asked);
  const dueTimeUs = nowUs + (askedMs ?? graceMs) * 1000;
  return continueAs('requestCancel', run, { state: 'CANCELLING', dueTimeUs, reason });
}

/** A second cancel can only shorten the grace period of a handler. */
function decideHasten(run: OpenRun, askedMs: number | undefined, nowUs: number): Change | undefined {
  if (run.sessionId === null || askedMs === undefined) return undefined;
  const dueTimeUs = nowUs + askedMs * 1000;
  if (run.dueTimeUs !== null && run.dueTimeUs <= dueTimeUs) return undefined;
  return continueAs('requestCancel', run, { state: 'CANCELLING', dueTimeUs });
}
