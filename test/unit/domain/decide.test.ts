/** Decisions in typical cases, and the reasons that they give. */
import { describe, expect, it } from 'vitest';
import { type Failure, systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { rankOf } from '../../../server/domain/dispatch/rank.ts';
import * as decide from '../../../server/domain/jobs/decide.ts';
import { decideDue, decideTimeOut } from '../../../server/domain/jobs/decide-due.ts';
import type { OpenRun } from '../../../server/domain/jobs/run.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import { openRunAt, SESSION_ID } from '../../support/jobs/open-run.ts';

const NOW_US = 1_795_000_000_000_000;
const half = { nowUs: NOW_US, random: 0.5 };
const policy: RetryPolicy = { ...definitionDefaults.retryPolicy, nonRetryableTypes: ['Gone'] };

function runOf(changes: Partial<OpenRun> = {}): OpenRun {
  return openRunAt(NOW_US - 5_000_000, {
    rank: NOW_US,
    state: 'RUNNING',
    attempt: 1,
    sessionId: SESSION_ID,
    assignTimeUs: NOW_US - 1_000,
    dueTimeUs: NOW_US,
    ...changes,
  });
}

function failed(changes: Partial<Failure> = {}): Failure {
  return { ...systemFailure('APPLICATION', 'ValueError', 'no such column'), ...changes };
}

describe('decideFail', () => {
  it('waits half of the bound when the random number is one half, and gives the reason', () => {
    const change = decide.decideFail(runOf(), failed(), policy, half);
    expect(change).toMatchObject({
      kind: 'continue',
      state: 'SCHEDULED',
      dueTimeUs: NOW_US + 500_000,
      rank: NOW_US + 500_000,
      attemptCount: 1,
      closed: { outcome: 'FAILED', counted: true, failure: failed() },
      reason: 'attempt 1 of 3 failed (ValueError); waits 500 ms for the next',
    });
  });

  it("uses the delay that the handler asks for instead of the policy's", () => {
    const change = decide.decideFail(runOf(), failed({ retryDelayMs: 42_000 }), policy, half);
    expect(change).toMatchObject({ state: 'SCHEDULED', dueTimeUs: NOW_US + 42_000_000 });
  });

  it('resets the consecutive losses, since the worker has answered', () => {
    expect(decide.decideFail(runOf({ consecutiveLosses: 2 }), failed(), policy, half)).toMatchObject({
      consecutiveLosses: 0,
    });
  });

  it.each([
    ['the last attempt', runOf({ attempt: 7, attemptCount: 2 }), failed(), policy, 'attempt 3 of 3 failed'],
    [
      'a final failure',
      runOf(),
      failed({ nonRetryable: true }),
      policy,
      'the handler said that another attempt cannot help',
    ],
    ['a type that is not retried', runOf(), failed({ type: 'Gone' }), policy, 'the retry policy does not retry Gone'],
    [
      'no time left for retries',
      runOf(),
      failed({ retryDelayMs: 5_001 }),
      { ...policy, maxRetryDurationMs: 10_000 },
      "the next attempt would begin after the policy's max_retry_duration",
    ],
  ])('ends the job after %s', (_what, run, failure, given, reason) => {
    const change = decide.decideFail(run, failure, given, half);
    expect(change).toMatchObject({
      kind: 'end',
      state: 'FAILED',
      failure,
      reason,
      attemptCount: run.attemptCount + 1,
    });
  });

  it('allows a retry up to the exact end of the retry duration', () => {
    const change = decide.decideFail(
      runOf(),
      failed({ retryDelayMs: 5_000 }),
      { ...policy, maxRetryDurationMs: 10_000 },
      half,
    );
    expect(change.state).toBe('SCHEDULED');
  });
});

describe('decideTimeOut', () => {
  it('counts the attempt and names the limit', () => {
    expect(decideTimeOut(runOf({ runTimeoutMs: 1_500 }), policy, half)).toMatchObject({
      state: 'SCHEDULED',
      attemptCount: 1,
      closed: { outcome: 'TIMED_OUT', counted: true, failure: { failureCause: 'TIMEOUT', type: 'RunTimeout' } },
    });
  });

  it('ends a cancelled job whose grace is over', () => {
    const change = decideTimeOut(runOf({ state: 'CANCELLING', reason: 'wrong file' }), policy, half);
    expect(change).toMatchObject({
      kind: 'end',
      state: 'CANCELLED',
      failure: { failureCause: 'CANCELLED', message: 'wrong file' },
    });
  });
});

describe('decideRelease', () => {
  const assigned = (changes: Partial<OpenRun> = {}) => runOf({ state: 'ASSIGNED', dueTimeUs: null, ...changes });

  it('returns the job to its old queue position at once, without counting an attempt', () => {
    const change = decide.decideRelease(assigned({ rank: 17 }), 'NO_SLOT', half);
    expect(change).toMatchObject({
      state: 'READY',
      rank: 17,
      attemptCount: 0,
      totalLosses: 0,
      dueTimeUs: null,
      releases: 1,
      closed: { outcome: 'RELEASED', counted: false },
    });
  });

  it('fails the job at the hundredth lost or released attempt', () => {
    const last = decide.decideRelease(assigned({ attempt: 102, attemptCount: 2, totalLosses: 1 }), 'UNSUPPORTED', half);
    expect(last).toMatchObject({
      kind: 'end',
      event: 'release',
      state: 'FAILED',
      attemptCount: 2,
      failure: { failureCause: 'LOST_TOO_OFTEN', type: 'LostTooOften' },
      reason: '100 attempts were lost or released, the last by UNSUPPORTED',
    });
    const one = decide.decideRelease(assigned({ attempt: 102, attemptCount: 3, totalLosses: 1 }), 'UNSUPPORTED', half);
    expect(one).toMatchObject({ state: 'READY' });
  });

  it('delays the job from the eleventh release on, with a reason', () => {
    const change = decide.decideRelease(assigned({ releases: 10, releasesSinceUs: NOW_US - 1 }), 'UNSUPPORTED', half);
    expect(change).toMatchObject({
      state: 'SCHEDULED',
      releases: 11,
      reason: 'released 11 times within a minute, last by UNSUPPORTED',
    });
  });

  it('keeps the expiry of a job that never started', () => {
    const expireTimeUs = NOW_US + 9_000_000;
    expect(decide.decideRelease(assigned({ expireTimeUs }), 'NO_SLOT', half)).toMatchObject({
      dueTimeUs: expireTimeUs,
    });
    expect(decide.decideRelease(assigned({ expireTimeUs, totalLosses: 1 }), 'NO_SLOT', half)).toMatchObject({
      dueTimeUs: null,
    });
    expect(
      decide.decideRelease(assigned({ expireTimeUs, attemptCount: 1, attempt: 2 }), 'NO_SLOT', half),
    ).toMatchObject({ dueTimeUs: null });
  });

  it('treats a job that was seen running as aborted', () => {
    expect(decide.decideRelease(runOf(), 'NO_SLOT', half)).toMatchObject({
      event: 'abort',
      state: 'SCHEDULED',
      totalLosses: 1,
    });
  });
});

describe('decideAbort and decideSessionEnd', () => {
  it('count a lapse as a loss of the job, but not a close or a mass lapse', () => {
    expect(decide.decideSessionEnd(runOf(), 'LAPSE', half)).toMatchObject({
      consecutiveLosses: 1,
      totalLosses: 1,
      event: 'lapse',
      closed: { outcome: 'LAPSED' },
    });
    expect(decide.decideSessionEnd(runOf(), 'MASS_LAPSE', half)).toMatchObject({
      consecutiveLosses: 0,
      totalLosses: 1,
      closed: { outcome: 'LAPSED' },
    });
    expect(decide.decideSessionEnd(runOf(), 'CLOSE', half)).toMatchObject({
      consecutiveLosses: 0,
      totalLosses: 1,
      event: 'closeSession',
      closed: { outcome: 'SESSION_CLOSED' },
    });
    expect(decide.decideAbort(runOf(), half)).toMatchObject({
      consecutiveLosses: 0,
      totalLosses: 1,
      closed: { outcome: 'ABORTED', counted: false },
    });
  });

  it('count the close of a session whose worker died as a loss of the job', () => {
    expect(decide.decideSessionEnd(runOf(), 'WORKER_LOST', half)).toMatchObject({
      consecutiveLosses: 1,
      totalLosses: 1,
      event: 'closeSession',
      closed: { outcome: 'SESSION_CLOSED', failure: { failureCause: 'LOST_WORKER' } },
    });
  });

  it('requeue the job at once after the first loss, and with a growing delay after later ones', () => {
    expect(decide.decideSessionEnd(runOf(), 'LAPSE', half)).toMatchObject({ state: 'READY', dueTimeUs: null });
    expect(decide.decideSessionEnd(runOf({ totalLosses: 1 }), 'LAPSE', half)).toMatchObject({
      state: 'SCHEDULED',
      dueTimeUs: NOW_US + 500_000,
    });
    expect(decide.decideSessionEnd(runOf({ totalLosses: 4 }), 'LAPSE', half)).toMatchObject({
      dueTimeUs: NOW_US + 4_000_000,
    });
  });
});

describe('decideCancel', () => {
  it('ends a job without a lease, with the given reason', () => {
    const change = decide.decideCancel(runOf({ state: 'READY', sessionId: null }), 'not needed', 30_000, half);
    expect(change).toMatchObject({
      kind: 'end',
      state: 'CANCELLED',
      reason: 'not needed',
      failure: { type: 'Cancelled', message: 'not needed' },
    });
  });

  it('asks the worker to stop and sets the grace', () => {
    const change = decide.decideCancel(runOf(), '', 30_000, half);
    expect(change).toMatchObject({
      state: 'CANCELLING',
      dueTimeUs: NOW_US + 30_000_000,
      reason: 'cancelled on request',
    });
  });

  it('asks a workflow to stop too, although no session leases it', () => {
    expect(decide.decideCancel(runOf({ state: 'WAITING', attempt: 0, sessionId: null }), '', 0, half)).toMatchObject({
      state: 'CANCELLING',
    });
  });

  it('changes nothing when it is called again', () => {
    expect(decide.decideCancel(runOf({ state: 'CANCELLING' }), '', 30_000, half)).toBeUndefined();
  });

  it('takes the requested grace period in place of the usual one', () => {
    const change = decide.decideCancel(runOf(), '', 30_000, half, 1_000);
    expect(change).toMatchObject({ state: 'CANCELLING', dueTimeUs: NOW_US + 1_000_000 });
  });

  it('does not wait for the handler without a grace period, also when it has been asked before', () => {
    for (const state of ['ASSIGNED', 'RUNNING', 'CANCELLING'] as const)
      expect(decide.decideCancel(runOf({ state }), 'enough', 30_000, half, 0)).toMatchObject({
        kind: 'end',
        state: 'CANCELLED',
        cancelStage: 'FENCED',
        reason: 'enough',
      });
  });

  it('can shorten the grace period of an earlier one, and never prolongs it', () => {
    const cancelling = runOf({ state: 'CANCELLING', reason: 'wrong file', dueTimeUs: NOW_US + 5_000_000 });
    expect(decide.decideCancel(cancelling, 'other', 30_000, half, 10_000)).toBeUndefined();
    expect(decide.decideCancel(cancelling, 'other', 30_000, half, 1_000)).toMatchObject({
      state: 'CANCELLING',
      dueTimeUs: NOW_US + 1_000_000,
      reason: 'wrong file',
    });
  });

  it('keeps the grace period for the jobs of a workflow', () => {
    const workflow = runOf({ state: 'WAITING', attempt: 0, sessionId: null });
    expect(decide.decideCancel(workflow, '', 30_000, half, 0)).toMatchObject({
      state: 'CANCELLING',
      suspension: { untilUs: NOW_US, to: 'PAUSED' },
    });
    const again = runOf({ state: 'CANCELLING', attempt: 0, sessionId: null });
    expect(decide.decideCancel(again, '', 30_000, half, 0)).toBeUndefined();
  });

  it('keeps its reason until the job ends', () => {
    const cancelling = runOf({ state: 'CANCELLING', reason: 'wrong file' });
    expect(decide.decideConfirmCancel(cancelling, half)).toMatchObject({
      state: 'CANCELLED',
      reason: 'wrong file',
      event: 'confirmCancel',
    });
  });
});

describe('decideConfirmCancel', () => {
  it('releases an attempt that nobody asked to stop', () => {
    expect(decide.decideConfirmCancel(runOf(), half)).toMatchObject({
      event: 'confirmCancel',
      state: 'SCHEDULED',
      closed: { outcome: 'ABORTED' },
    });
  });
});

describe('decideDue', () => {
  const waiting = (changes: Partial<OpenRun>) => runOf({ state: 'SCHEDULED', sessionId: null, attempt: 0, ...changes });
  const due = (run: OpenRun) => decideDue(run, policy, half);

  it('does nothing before the due time, or to a job without one', () => {
    expect(due(waiting({ dueTimeUs: NOW_US + 1 }))).toBeUndefined();
    expect(due(waiting({ dueTimeUs: null }))).toBeUndefined();
    expect(due(runOf({ state: 'BLOCKED', sessionId: null, dueTimeUs: null }))).toBeUndefined();
  });

  it('lets a timed-out workflow continue until its steps have stopped', () => {
    const late = due(runOf({ state: 'WAITING', attempt: 0, sessionId: null, dueTimeUs: NOW_US }));
    expect(late).toMatchObject({ kind: 'continue', event: 'timeOut', state: 'WAITING', dueTimeUs: null });
  });

  it('makes a startable job READY, with its expiry as the next due time', () => {
    expect(due(waiting({ expireTimeUs: NOW_US + 5 }))).toMatchObject({
      event: 'promote',
      state: 'READY',
      dueTimeUs: NOW_US + 5,
      reason: null,
    });
    expect(due(waiting({ expireTimeUs: NOW_US + 5, attempt: 1, attemptCount: 1 }))).toMatchObject({
      state: 'READY',
      dueTimeUs: null,
    });
  });

  it('expires a job that was not started in time, even when it falls due only after its expiry', () => {
    const expired = { kind: 'end', event: 'expire', state: 'EXPIRED', failure: { failureCause: 'EXPIRED' } };
    expect(due(runOf({ state: 'READY', sessionId: null, expireTimeUs: NOW_US }))).toMatchObject(expired);
    expect(due(waiting({ expireTimeUs: NOW_US - 5 }))).toMatchObject(expired);
  });

  it('lets a deadline move a job forward while the deadline still applies', () => {
    const released = runOf({ state: 'ASSIGNED', releases: 30, releasesSinceUs: NOW_US, expireTimeUs: NOW_US + 1_000 });
    const change = decide.decideRelease(released, 'NO_SLOT', half);
    expect(change).toMatchObject({ state: 'SCHEDULED', rank: rankOf(NOW_US + 15_000_000, 0, NOW_US + 1_000) });
  });
});
