/** Suspensions of jobs that run, in typical cases: the request, each end of the attempt, and the way back. */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { decideSuspend } from '../../../../server/domain/dependencies/children.ts';
import { decideUnblock } from '../../../../server/domain/dependencies/dependencies.ts';
import { decideCancel, decideFail, decideRelease, decideSessionEnd } from '../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../server/domain/jobs/decide-due.ts';
import { decideEvict, decideKeep, decidePause, decideResume } from '../../../../server/domain/jobs/pause.ts';
import type { Continue } from '../../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../../server/domain/jobs/time-limits.ts';
import { NOW_US, runOf } from '../support/waiting-job.ts';

const SECOND_US = 1_000_000;
const now = { nowUs: NOW_US, random: 0.5 };
const later = { nowUs: NOW_US + 10 * SECOND_US, random: 0.5 };
const request = { reason: 'the disk is full', graceMs: 10_000 };
const { retryPolicy } = definitionDefaults;

const running = runOf({ state: 'RUNNING', attempt: 1, sessionId: 's', dueTimeUs: NOW_US + 60 * SECOND_US });
const asked = {
  ...running,
  reason: 'the disk is full',
  suspension: { untilUs: NOW_US + 10 * SECOND_US, to: 'PAUSED' },
} as const;
const evicted = { ...asked, suspension: { ...asked.suspension, to: 'READY' } } as const;

describe('a request to pause a job that runs', () => {
  it('lets it run until its grace period is over', () => {
    const limits = { ...noLimits, runDeadlineUs: NOW_US + 60 * SECOND_US };
    expect(decidePause({ ...running, limits }, request, NOW_US)).toMatchObject({
      event: 'pause',
      state: 'RUNNING',
      dueTimeUs: NOW_US + 10 * SECOND_US,
      suspension: asked.suspension,
      reason: 'the disk is full',
    });
  });

  it('is refused without a grace period, and for a job that is being cancelled', () => {
    expect(decidePause(running, { reason: '' }, NOW_US)).toBe('NOT_WAITING');
    expect(decidePause(runOf({ ...running, state: 'CANCELLING' }), request, NOW_US)).toBe('NOT_WAITING');
  });

  it('is refused for a workflow and for a wait, of which nothing runs here', () => {
    expect(decidePause(runOf({ state: 'WAITING' }), request, NOW_US)).toBe('NOT_WAITING');
  });

  it('shortens the grace period of an earlier one, and never prolongs it', () => {
    expect(decidePause(asked, { ...request, graceMs: 1_000 }, NOW_US)).toMatchObject({
      suspension: { untilUs: NOW_US + SECOND_US },
    });
    expect(decidePause(asked, { ...request, graceMs: 20_000 }, NOW_US)).toBeUndefined();
  });

  it('turns the suspension by a queue into a pause', () => {
    expect(decidePause(evicted, { ...request, graceMs: 20_000 }, NOW_US)).toMatchObject({
      suspension: asked.suspension,
    });
  });
});

describe('an attempt that was asked to stop', () => {
  it('pauses its job without counting when the handler stops', () => {
    expect(decideSuspend(asked, 0, now)).toMatchObject({
      event: 'suspend',
      state: 'PAUSED',
      attemptCount: 0,
      suspensions: 1,
      suspension: null,
      reason: 'the disk is full',
      closed: { outcome: 'SUSPENDED', counted: false },
    });
  });

  it('is closed when the grace period is over, also before it was seen running', () => {
    for (const state of ['RUNNING', 'ASSIGNED'] as const) {
      const run = { ...asked, state, dueTimeUs: asked.suspension.untilUs };
      expect(decideDue(run, retryPolicy, now)).toBeUndefined();
      expect(decideDue(run, retryPolicy, later)).toMatchObject({
        event: 'suspend',
        state: 'PAUSED',
        attemptCount: 0,
        reason: 'the disk is full; its handler did not stop within the grace period',
        closed: { outcome: 'SUSPENDED', counted: false },
      });
    }
  });

  it('pauses its job after a failure too, which counts, and keeps the delay of the retry', () => {
    const failure = systemFailure('APPLICATION', 'Oops', 'no');
    const change = decideFail(asked, failure, { ...retryPolicy, maxAttempts: 3 }, now) as Continue;
    expect(change).toMatchObject({ state: 'PAUSED', attemptCount: 1, closed: { outcome: 'FAILED', counted: true } });
    expect(change.runTimeUs).toBeGreaterThan(NOW_US);
    expect(decideFail(asked, failure, { ...retryPolicy, maxAttempts: 1 }, now)).toMatchObject({ state: 'FAILED' });
  });

  it('pauses its job when it is released or lost', () => {
    expect(decideRelease({ ...asked, state: 'ASSIGNED' }, 'SUSPENDED', now)).toMatchObject({ state: 'PAUSED' });
    expect(decideSessionEnd(asked, 'LAPSE', now)).toMatchObject({ state: 'PAUSED', consecutiveLosses: 1 });
  });

  it('leaves its job ready in a paused queue', () => {
    expect(decideSuspend(evicted, 0, now)).toMatchObject({ state: 'READY', dueTimeUs: null, suspension: null });
  });

  it('is cancelled by a cancel', () => {
    const cancelling = decideCancel(asked, 'no more', 1_000, now) as Continue;
    expect(cancelling).toMatchObject({ state: 'CANCELLING', suspension: null });
    expect(decideSuspend({ ...asked, state: 'CANCELLING', suspension: null }, 0, now)).toMatchObject({
      state: 'CANCELLED',
    });
  });
});

describe('the pause of a queue', () => {
  it('asks the handlers of what runs to stop, and leaves all else', () => {
    expect(decideEvict(running, 10_000, 'queue mails is paused', NOW_US)).toMatchObject({
      state: 'RUNNING',
      dueTimeUs: NOW_US + 10 * SECOND_US,
      suspension: evicted.suspension,
      reason: 'queue mails is paused',
    });
    for (const state of ['READY', 'PAUSED', 'CANCELLING', 'WAITING'] as const)
      expect(decideEvict(runOf({ state }), 10_000, '', NOW_US)).toBeUndefined();
  });

  it('shortens the grace period of a pause, which stays one, with its reason', () => {
    expect(decideEvict(asked, 20_000, 'queue', NOW_US)).toBeUndefined();
    expect(decideEvict(asked, 1_000, 'queue', NOW_US)).toMatchObject({
      suspension: { untilUs: NOW_US + SECOND_US, to: 'PAUSED' },
      reason: 'the disk is full',
    });
  });

  it('is forgotten by what has not stopped when the queue is resumed', () => {
    expect(decideKeep(evicted)).toMatchObject({ event: 'resume', state: 'RUNNING', suspension: null, reason: null });
    expect(decideKeep(asked)).toBeUndefined();
    expect(decideKeep(running)).toBeUndefined();
  });
});

describe('a job whose handler waits for children', () => {
  const waiting = runOf({ state: 'WAITING', attempt: 1, suspensions: 1 });

  it('is paused once they have ended', () => {
    const change = decidePause(waiting, request, NOW_US) as Continue;
    expect(change).toMatchObject({ state: 'WAITING', suspension: { untilUs: NOW_US, to: 'PAUSED' } });
    const wished = { ...waiting, suspension: change.suspension, reason: change.reason };
    expect(decideUnblock(wished, now)).toMatchObject({ event: 'wake', state: 'PAUSED', reason: 'the disk is full' });
    expect(decideResume(wished, now)).toMatchObject({ event: 'resume', state: 'WAITING', suspension: null });
  });
});

describe('a resume', () => {
  it('withdraws a request that has not been met, and restores the next due time', () => {
    const limits = { ...noLimits, runDeadlineUs: NOW_US + 60 * SECOND_US };
    expect(decideResume({ ...asked, limits }, now)).toMatchObject({
      event: 'resume',
      state: 'RUNNING',
      suspension: null,
      dueTimeUs: NOW_US + 60 * SECOND_US,
      reason: null,
    });
    expect(decideResume({ ...asked, state: 'ASSIGNED' }, now)).toMatchObject({ state: 'ASSIGNED', dueTimeUs: null });
  });

  it('leaves the suspension by a queue as it is', () => {
    expect(decideResume(evicted, now)).toBeUndefined();
  });
});

describe('a total timeout that stops meanwhile', () => {
  const limits = { ...noLimits, deadlineUs: NOW_US + 5 * SECOND_US };
  const stopping = { reason: '', stopsTimeouts: true };

  it('does not end the paused job, and starts anew when it is resumed', () => {
    const paused = decidePause(runOf({ limits }), stopping, NOW_US) as Continue;
    expect(paused).toMatchObject({ state: 'PAUSED', dueTimeUs: null, deadlineUs: null, timeoutsStopped: true });
    const run = runOf({ state: 'PAUSED', timeoutsStopped: true });
    expect(decideResume(run, later, 5_000)).toMatchObject({
      state: 'READY',
      timeoutsStopped: false,
      deadlineUs: later.nowUs + 5 * SECOND_US,
      dueTimeUs: later.nowUs + 5 * SECOND_US,
    });
  });

  it('counts from the run time of a job that is not to run yet', () => {
    const runTimeUs = later.nowUs + SECOND_US;
    const run = runOf({ state: 'PAUSED', timeoutsStopped: true, runTimeUs });
    expect(decideResume(run, later, 5_000)).toMatchObject({ deadlineUs: runTimeUs + 5 * SECOND_US });
  });

  it('stays stopped after a second request that does not say so', () => {
    const run = { ...asked, timeoutsStopped: true };
    const again = decidePause(run, { ...request, graceMs: 0 }, NOW_US);
    expect(again).toMatchObject({ timeoutsStopped: true, deadlineUs: null });
  });

  it('runs on by default, and ends the job', () => {
    const paused = decidePause(runOf({ limits }), { reason: '' }, NOW_US) as Continue;
    expect(paused).toMatchObject({ deadlineUs: limits.deadlineUs, dueTimeUs: limits.deadlineUs });
    const run = runOf({ state: 'PAUSED', limits, dueTimeUs: limits.deadlineUs });
    expect(decideDue(run, retryPolicy, later)).toMatchObject({ state: 'FAILED' });
  });

  it('ends a job that is out of time before its grace period', () => {
    const run = { ...asked, limits, dueTimeUs: limits.deadlineUs };
    expect(decideDue(run, retryPolicy, later)).toMatchObject({ state: 'FAILED' });
  });
});
