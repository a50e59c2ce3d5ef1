/** Pausing a job, resuming it, and updating the settings of a waiting one. */

import type { Failure } from '../base/payload.ts';
import { rankOf, startOf } from '../dispatch/rank.ts';
import { continueAs, end, expiryOf, isSuspended, type Moment, waitsUntil } from './decide.ts';
import { whyOver } from './decide-due.ts';
import { transitions } from './job-state.ts';
import type { Change, Continue, End, OpenRun, Suspension } from './run.ts';
import { earliest } from './time-limits.ts';

/** Why an open job can't be changed as requested. */
export type PauseRefusal = 'NOT_WAITING' | 'EXPIRY_PASSED' | 'RUN_TIME_AFTER_EXPIRY';

/** What becomes of a job that is paused. */
export interface PauseRequest {
  readonly reason: string;
  /** A job that is held: how long its handler may take to stop. Undefined: such a job is not paused. */
  readonly graceMs?: number | undefined;
  /**
   * A workflow or a batch that has begun: how long the handlers of its jobs may take; null: as long as their definitions
   * say. Undefined: it is neither, or such a job is not paused.
   */
  readonly childGraceMs?: number | null | undefined;
  /** Its workflow or batch is paused, and not the job for itself. */
  readonly withParent?: boolean | undefined;
  /** The total timeout stops, and starts anew when the job is resumed. */
  readonly stopsTimeouts?: boolean | undefined;
}

/**
 * Pauses the job until somebody resumes it. Its expiry still applies, and its time to run is kept. The handler of a held
 * job is asked to stop; a job whose handler waits for children is paused once they have ended; a workflow or a batch
 * starts nothing more, and its open jobs are paused with it. Undefined: already paused, or asked to stop as early.
 */
export function decidePause(run: OpenRun, request: PauseRequest, nowUs: number): Continue | PauseRefusal | undefined {
  const withParent = request.withParent === true;
  const timeoutsStopped = run.timeoutsStopped || request.stopsTimeouts === true;
  const deadlineUs = timeoutsStopped ? null : run.limits.deadlineUs;
  const stopping = { ...run, limits: { ...run.limits, deadlineUs } };
  const reason = request.reason || 'paused on request';
  const rest = { timeoutsStopped, deadlineUs, reason, pausedWithParent: withParent };
  if (run.state === 'PAUSED') return decideAgain(stopping, request, rest, nowUs);
  if (isHeld(run) || isSuspended(run)) return decideAsk(stopping, request, rest, nowUs);
  if (run.state === 'WAITING') {
    if (request.childGraceMs === undefined) return 'NOT_WAITING';
    const suspension = childSuspension(request.childGraceMs, nowUs);
    return continueAs('pause', run, { state: 'PAUSED', dueTimeUs: deadlineUs, begun: true, suspension, ...rest });
  }
  if (!transitions.pause[run.state]) return 'NOT_WAITING';
  const runTimeUs = run.state === 'SCHEDULED' ? run.dueTimeUs : run.runTimeUs;
  return continueAs('pause', run, { state: 'PAUSED', dueTimeUs: waitsUntil(stopping), runTimeUs, ...rest });
}

/** As `decidePause`, where a job that can't be paused is left alone. */
export function decidePauseIfPossible(run: OpenRun, request: PauseRequest, nowUs: number): Continue | undefined {
  const decision = decidePause(run, request, nowUs);
  return typeof decision === 'string' ? undefined : decision;
}

/**
 * A second request for a job that is PAUSED: it may stop the total timeout, shorten the grace period of a workflow's or
 * a batch's jobs, and keep the job paused when its workflow or batch is resumed.
 */
function decideAgain(run: OpenRun, request: PauseRequest, rest: Asked, nowUs: number): Continue | undefined {
  if (rest.pausedWithParent && !run.pausedWithParent) return undefined;
  const isOver = run.suspension !== null && run.suspension.untilUs <= nowUs;
  const suspension =
    run.begun && typeof request.childGraceMs === 'number' && !isOver
      ? sooner(run.suspension, { untilUs: nowUs + request.childGraceMs * 1000, to: 'PAUSED' })
      : run.suspension;
  const isSame = rest.timeoutsStopped === run.timeoutsStopped && rest.pausedWithParent === run.pausedWithParent;
  if (isSame && suspension === run.suspension) return undefined;
  const dueTimeUs = run.begun ? run.limits.deadlineUs : waitsUntil(run);
  // What a person has to know of it stays.
  const reason = run.exhausted ? [request.reason, run.reason].filter(Boolean).join('; ') : rest.reason;
  return continueAs('pause', run, {
    state: 'PAUSED',
    dueTimeUs,
    runTimeUs: run.runTimeUs,
    suspension,
    ...rest,
    reason,
  });
}

function sooner(before: Suspension | null, now: Suspension): Suspension {
  return before && before.untilUs <= now.untilUs ? before : now;
}

function childSuspension(graceMs: number | null, nowUs: number): Suspension | null {
  return graceMs === null ? null : { untilUs: nowUs + graceMs * 1000, to: 'PAUSED' };
}

type Asked = Pick<Continue, 'timeoutsStopped' | 'deadlineUs' | 'reason' | 'pausedWithParent'>;

function isHeld({ state }: OpenRun): boolean {
  return state === 'ASSIGNED' || state === 'RUNNING';
}

/** Asks the handler to stop within the grace period. */
function decideAsk(
  run: OpenRun,
  { graceMs }: PauseRequest,
  rest: Asked,
  nowUs: number,
): Continue | PauseRefusal | undefined {
  if (graceMs === undefined) return 'NOT_WAITING';
  const untilUs = nowUs + (isHeld(run) ? graceMs * 1000 : 0);
  const isAsked = run.suspension?.to === 'PAUSED';
  // One that was asked for itself stays paused when its workflow or batch is resumed.
  const pausedWithParent = rest.pausedWithParent && (!isAsked || run.pausedWithParent);
  const isSame = pausedWithParent === run.pausedWithParent && rest.timeoutsStopped === run.timeoutsStopped;
  if (isAsked && isSame && run.suspension.untilUs <= untilUs) return undefined;
  const suspension = { untilUs: Math.min(untilUs, run.suspension?.untilUs ?? untilUs), to: 'PAUSED' } as const;
  const asked = { ...run, suspension };
  const dueTimeUs = heldUntil(asked);
  return continueAs('pause', run, { state: run.state, dueTimeUs, ...rest, suspension, pausedWithParent });
}

/**
 * Its queue is paused: the handler is asked to stop, and the job keeps its place. Undefined: no attempt of it is open, or
 * it was asked to stop as early.
 */
export function decideEvict(run: OpenRun, graceMs: number, reason: string, nowUs: number): Continue | undefined {
  if (!isHeld(run)) return undefined;
  const untilUs = nowUs + graceMs * 1000;
  if (run.suspension && run.suspension.untilUs <= untilUs) return undefined;
  const suspension = { untilUs, to: run.suspension?.to ?? 'READY' };
  return continueAs('pause', run, {
    state: run.state,
    dueTimeUs: heldUntil({ ...run, suspension }),
    suspension,
    reason: run.suspension ? run.reason : reason,
  });
}

/** Its queue is resumed: what was asked to stop because of that, and has not yet, runs on. */
export function decideKeep(run: OpenRun): Continue | undefined {
  if (run.suspension?.to !== 'READY') return undefined;
  const dueTimeUs = heldUntil({ ...run, suspension: null });
  return continueAs('resume', run, { state: run.state, dueTimeUs, suspension: null, reason: null });
}

/** The next time at which something is due for a job that is held, or whose handler waits for children. */
function heldUntil({ state, limits, suspension }: OpenRun): number | null {
  if (state === 'WAITING') return limits.deadlineUs;
  if (state === 'ASSIGNED') return suspension?.untilUs ?? null;
  const { deadlineUs, runDeadlineUs, quietDeadlineUs, watchUntilUs } = limits;
  return earliest(deadlineUs, runDeadlineUs, quietDeadlineUs, watchUntilUs, suspension?.untilUs);
}

/**
 * Resumes the job with its previous rank: BLOCKED while it has unmet dependencies, SCHEDULED while its time to run is
 * in the future, else READY. One that was only asked to stop runs on, and so does a workflow or a batch that had begun.
 * One that was paused after its last attempt gets all its attempts again. `totalTimeoutMs` is its definition's, for a
 * timeout that starts anew. Undefined: the job is not paused.
 */
export function decideResume(paused: OpenRun, { nowUs }: Moment, totalTimeoutMs?: number): Change | undefined {
  const run = withTimeouts(paused, nowUs, totalTimeoutMs);
  const { deadlineUs } = run.limits;
  const counts = countedAnew(run, nowUs);
  const running = {
    timeoutsStopped: false,
    deadlineUs,
    reason: null,
    pausedWithParent: false,
    ...counts,
  };
  if (run.begun)
    return continueAs('resume', run, { state: 'WAITING', dueTimeUs: deadlineUs, suspension: null, ...running });
  if (run.suspension?.to === 'PAUSED') {
    const dueTimeUs = heldUntil({ ...run, suspension: null });
    return continueAs('resume', run, { state: run.state, dueTimeUs, suspension: null, ...running });
  }
  if (run.state !== 'PAUSED') return undefined;
  // Checked first: READY even for a moment, it might still be started.
  const over = whyOver(run, nowUs);
  if (over) return over;
  const waitUs = waitsUntil({ ...run, ...counts });
  if (run.unmetDependencies > 0) {
    const { runTimeUs } = run;
    return continueAs('resume', run, { state: 'BLOCKED', dueTimeUs: waitUs, runTimeUs, ...running });
  }
  return continueAs('resume', run, { ...whereToWait(run.runTimeUs ?? nowUs, waitUs, nowUs), ...running });
}

type Counts = Pick<
  OpenRun,
  | 'attemptCount'
  | 'failures'
  | 'consecutiveLosses'
  | 'suspectLosses'
  | 'totalLosses'
  | 'releases'
  | 'releasesSinceUs'
  | 'suspensions'
  | 'retriesSinceUs'
>;

/** The counts of a job that was paused after its last attempt: as if none had been made. */
function countedAnew(run: OpenRun, nowUs: number): Partial<Counts> {
  if (!run.exhausted) return {};
  return {
    attemptCount: 0,
    failures: 0,
    consecutiveLosses: 0,
    suspectLosses: 0,
    totalLosses: 0,
    releases: 0,
    releasesSinceUs: null,
    suspensions: run.attempt,
    retriesSinceUs: nowUs,
  };
}

/** Why a paused job can't be ended with its failure. */
export type GiveUpRefusal = 'NOT_PAUSED' | 'NOT_FAILED';

/** A person ends a paused job with the failure of its last attempt. `last`: undefined if that did not fail. */
export function decideGiveUp(run: OpenRun, why: string, last: Failure | undefined): End | GiveUpRefusal {
  if (run.state !== 'PAUSED') return 'NOT_PAUSED';
  if (!last) return 'NOT_FAILED';
  return end('giveUp', run, 'FAILED', { failure: last, reason: why || 'failed on request' });
}

/** A stopped total timeout starts anew. */
function withTimeouts(run: OpenRun, nowUs: number, totalTimeoutMs: number | undefined): OpenRun {
  if (!run.timeoutsStopped || totalTimeoutMs === undefined) return run;
  const startUs = Math.max(run.runTimeUs ?? nowUs, nowUs);
  return { ...run, limits: { ...run.limits, deadlineUs: startUs + totalTimeoutMs * 1000 } };
}

/** Requested settings; undefined: unchanged. */
export interface Update {
  readonly priority?: number | undefined;
  readonly runTimeUs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
}

/** Changes priority, time to run or expiry of a waiting job, and derives its rank and due time. */
export function decideUpdate(run: OpenRun, update: Update, { nowUs }: Moment): Change | PauseRefusal {
  if (!transitions.update[run.state] || run.begun) return 'NOT_WAITING';
  const over = whyOver(run, nowUs);
  if (over) return over;
  if (update.expireTimeUs !== undefined && update.expireTimeUs <= nowUs) return 'EXPIRY_PASSED';
  const priority = update.priority ?? run.priority;
  const askedExpiryUs = update.expireTimeUs ?? run.expireTimeUs;
  const expireTimeUs = expiryOf({ ...run, expireTimeUs: askedExpiryUs });
  const timeUs = timeToRun(run, update.runTimeUs, nowUs);
  const startUs = timeUs ?? nowUs;
  const changesTimes = update.runTimeUs !== undefined || update.expireTimeUs !== undefined;
  const waitUs = earliest(expireTimeUs, run.limits.deadlineUs);
  if (changesTimes && waitUs !== null && startUs > waitUs) return 'RUN_TIME_AFTER_EXPIRY';
  const isKept = run.state === 'PAUSED' || run.state === 'BLOCKED';
  return continueAs('update', run, {
    ...(isKept ? { state: run.state, dueTimeUs: waitUs } : whereToWait(startUs, waitUs, nowUs)),
    runTimeUs: isKept && startUs > nowUs ? startUs : null,
    // The operator has set the time, so an earlier reason to wait, such as a retry budget, no longer applies.
    reason: isKept || update.runTimeUs === undefined ? run.reason : null,
    rank: rankOf(timeUs ?? rankedFrom(run), priority, expireTimeUs),
    record: { priority, runTimeUs: update.runTimeUs ?? null, expireTimeUs: askedExpiryUs },
  });
}

/** SCHEDULED while its time to run is in the future, else READY; then only the end of its wait is due. */
export function whereToWait(
  startUs: number,
  waitUs: number | null,
  nowUs: number,
): Pick<Continue, 'state' | 'dueTimeUs'> {
  if (startUs > nowUs) return { state: 'SCHEDULED', dueTimeUs: startUs };
  return { state: 'READY', dueTimeUs: waitUs };
}

/**
 * When the job may start; null: now. A time in the past releases a job that waits for its time, but changes nothing for
 * a job that has waited for a worker: an earlier start time would let it overtake all others.
 */
function timeToRun(run: OpenRun, asked: number | undefined, nowUs: number): number | null {
  const current = run.state === 'SCHEDULED' ? run.dueTimeUs : run.runTimeUs;
  if (asked === undefined) return current;
  if (asked > nowUs) return asked;
  return current === null ? null : Math.min(nowUs, current);
}

/**
 * The start time from which the job's rank was computed; with a fairness key it may be in the future. If the expiry
 * capped the rank, that start is not on record, and the creation time is its lower bound.
 */
export function rankedFrom({ rank, priority, expireTimeUs, createTimeUs }: OpenRun): number {
  const startUs = startOf(rank, priority);
  return rank === expireTimeUs ? Math.max(startUs, createTimeUs) : startUs;
}
