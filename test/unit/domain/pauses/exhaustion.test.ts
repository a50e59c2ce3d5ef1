/** Jobs that wait for a person after their last attempt: when they do, how they begin anew, and how they end. */
import { describe, expect, it } from 'vitest';
import { type Failure, systemFailure } from '../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { jobConstraints } from '../../../../server/domain/explain/job-constraints.ts';
import { decideFail, decideRelease, decideSessionEnd } from '../../../../server/domain/jobs/decide.ts';
import { decideLoss } from '../../../../server/domain/jobs/decide-loss.ts';
import { decideGiveUp, decideResume } from '../../../../server/domain/jobs/pause.ts';
import type { OpenRun } from '../../../../server/domain/jobs/run.ts';
import type { RetryPolicy } from '../../../../server/domain/retries/retry-policy.ts';
import { openRunAt, SESSION_ID } from '../../../support/jobs/open-run.ts';

const NOW_US = 1_795_000_000_000_000;
const moment = { nowUs: NOW_US, random: 0.5 };
const policy: RetryPolicy = { ...definitionDefaults.retryPolicy, onExhaustion: 'PAUSE' };
const failure = systemFailure('APPLICATION', 'ValueError', 'no such column');

const running = (changes: Partial<OpenRun> = {}) =>
  openRunAt(NOW_US - 5_000_000, { state: 'RUNNING', attempt: 3, attemptCount: 2, sessionId: SESSION_ID, ...changes });
const paused = (changes: Partial<OpenRun> = {}) =>
  openRunAt(NOW_US - 5_000_000, { state: 'PAUSED', attempt: 3, attemptCount: 3, exhausted: true, ...changes });
const fail = (changes: Partial<OpenRun>, of: Partial<RetryPolicy> = {}, how: Partial<Failure> = {}) =>
  decideFail(running(changes), { ...failure, ...how }, { ...policy, ...of }, moment);

describe('a job without a further attempt', () => {
  it('is paused after its last failure, which is kept with its attempt', () => {
    expect(fail({})).toMatchObject({
      kind: 'continue',
      state: 'PAUSED',
      exhausted: true,
      attemptCount: 3,
      reason: 'paused after its last attempt: attempt 3 of 3 failed; ResumeJob counts anew, FailJob ends it',
      closed: { outcome: 'FAILED', counted: true, failure },
    });
  });

  it.each<[string, Partial<RetryPolicy>]>([
    ['the time for retries', { maxAttempts: 9, maxRetryDurationMs: 1 }],
    ['the limit for the cause', { maxAttempts: 9, limits: { APPLICATION: 1 } }],
  ])('is paused when %s is over', (_what, of) => {
    expect(fail({}, of)).toMatchObject({ state: 'PAUSED', exhausted: true });
  });

  it.each<[string, Partial<RetryPolicy>, Partial<Failure>]>([
    ['the handler says that it is final', {}, { nonRetryable: true }],
    ['its type is not retried', { nonRetryableTypes: ['ValueError'] }, {}],
    ['a rule ends the job', { rules: [{ action: 'FAIL' }] }, {}],
  ])('fails all the same if %s', (_what, of, how) => {
    expect(fail({}, of, how)).toMatchObject({ kind: 'end', state: 'FAILED' });
  });

  it('fails without the wish of its policy', () => {
    const { onExhaustion: _, ...usual } = policy;
    expect(decideFail(running(), failure, usual, moment)).toMatchObject({ kind: 'end', state: 'FAILED' });
  });

  it('is paused when it took too many workers down, and when no worker wanted it', () => {
    const suspect = running({ consecutiveLosses: 4, suspectLosses: 2, totalLosses: 4 });
    const poison = decideLoss(decideSessionEnd(suspect, 'LAPSE', moment), policy, moment);
    expect(poison).toMatchObject({
      state: 'PAUSED',
      exhausted: true,
      closed: { outcome: 'LAPSED', failure: { failureCause: 'POISON' } },
    });
    const unwanted = running({ state: 'ASSIGNED', attempt: 100, attemptCount: 0 });
    const released = decideLoss(decideRelease(unwanted, 'NO_SLOT', moment), policy, moment);
    expect(released).toMatchObject({ state: 'PAUSED', exhausted: true, closed: { outcome: 'RELEASED' } });
  });

  it('is left alone when its workflow is resumed', () => {
    const suspension = { untilUs: NOW_US + 1, to: 'PAUSED' } as const;
    expect(fail({ suspension, pausedWithParent: true })).toMatchObject({ exhausted: true, pausedWithParent: false });
  });
});

describe('resuming it', () => {
  it('counts anew, in attempts, losses and time', () => {
    const losses = { consecutiveLosses: 3, suspectLosses: 2, totalLosses: 40, failures: 3, releases: 9 };
    expect(decideResume(paused(losses), moment)).toMatchObject({
      state: 'READY',
      exhausted: false,
      attemptCount: 0,
      failures: 0,
      ...{ consecutiveLosses: 0, suspectLosses: 0, totalLosses: 0, releases: 0 },
      suspensions: 3,
      retriesSinceUs: NOW_US,
      reason: null,
    });
  });

  it('lets its retries take as long as those of a new job', () => {
    const anew = { createTimeUs: NOW_US - 9e9, retriesSinceUs: NOW_US - 1_000, attemptCount: 0 };
    expect(fail(anew, { maxRetryDurationMs: 60_000 })).toMatchObject({ state: 'SCHEDULED' });
    expect(fail({ ...anew, retriesSinceUs: null }, { maxRetryDurationMs: 60_000 })).toMatchObject({ state: 'PAUSED' });
  });

  it('keeps the counts of a job that was paused for another reason', () => {
    const other = paused({ exhausted: false, attemptCount: 2 });
    expect(decideResume(other, moment)).toMatchObject({ state: 'READY', attemptCount: 2, retriesSinceUs: null });
  });
});

describe('giving it up', () => {
  it('ends it with its last failure', () => {
    expect(decideGiveUp(paused(), 'he has left', failure)).toMatchObject({
      event: 'giveUp',
      state: 'FAILED',
      failure,
      reason: 'he has left',
    });
    expect(decideGiveUp(paused(), '', failure)).toMatchObject({ reason: 'failed on request' });
  });

  it('is refused if it is not paused, or has not failed', () => {
    expect(decideGiveUp(running(), '', failure)).toBe('NOT_PAUSED');
    expect(decideGiveUp(paused({ exhausted: false }), '', undefined)).toBe('NOT_FAILED');
  });
});

it.each([
  ['resume and fail', { exhausted: true }, 'muster resume JOB; or end it with FailJob: muster fail JOB'],
  ['resume its workflow', { pausedWith: 'FLOW' }, 'muster resume FLOW'],
  ['resume', {}, 'muster resume JOB'],
])('the next step for a paused job is to %s', (_what, how, step) => {
  const job = { jobId: 'JOB', state: 'PAUSED', reason: 'why', dueTimeUs: undefined, pauseTimeUs: undefined } as const;
  const given = { job: { exhausted: false, pausedWith: undefined, ...job, ...how }, limits: [], nowUs: NOW_US };
  const [first] = jobConstraints({ queue: undefined, breaker: undefined, ...given });
  expect(first?.nextStep).toContain(step);
});
