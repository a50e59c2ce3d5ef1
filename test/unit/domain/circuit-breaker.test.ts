/** Circuit breakers in typical cases. */
import { describe, expect, it } from 'vitest';
import { type Failure, type FailureCause, systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail } from '../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../server/domain/jobs/decide-due.ts';
import type { JobState } from '../../../server/domain/jobs/job-state.ts';
import type { OpenRun } from '../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../server/domain/jobs/time-limits.ts';
import {
  afterProbe,
  type BreakerStatus,
  type CircuitBreaker,
  closed,
  closedBreaker,
  countFailures,
  countsAt,
  failureOfAttempt,
  failuresNow,
  isProbeDue,
  withProbe,
} from '../../../server/domain/retries/circuit-breaker.ts';
import { runOf } from './support/failing-job.ts';

const NOW_US = 1_795_000_000_000_000;
const SECOND_US = 1_000_000;
const jobId = '0198c0de-0000-7000-8000-000000000001';
const breaker: CircuitBreaker = {
  name: 'payments',
  failureThreshold: 3,
  windowMs: 60_000,
  openDurationMs: 30_000,
  types: [],
};

/** Counts one failure at each of the given seconds. */
function failAt(...seconds: number[]): BreakerStatus {
  return seconds.reduce<BreakerStatus>(
    (status, second) => countFailures(status, 1, breaker, NOW_US + second * SECOND_US),
    closedBreaker,
  );
}

describe('a failure of a circuit breaker’s jobs', () => {
  it('opens the breaker at the threshold, until the probe', () => {
    expect(failAt(0, 10).state).toBe('CLOSED');
    expect(failAt(0, 10, 20)).toMatchObject({
      state: 'OPEN',
      openTimeUs: NOW_US + 20 * SECOND_US,
      probeTimeUs: NOW_US + 50 * SECOND_US,
      probe: null,
    });
  });

  it('counts once for each of several at the same time', () => {
    expect(countFailures(closedBreaker, 2, breaker, NOW_US).state).toBe('CLOSED');
    expect(countFailures(closedBreaker, 3, breaker, NOW_US).state).toBe('OPEN');
  });

  it('leaves the window gradually, wherever the window began', () => {
    expect(failAt(0, 59, 61).state).toBe('CLOSED');
    expect(failAt(0, 59, 61, 62).state).toBe('OPEN');
    expect(failAt(0, 30, 61, 91).state).toBe('CLOSED');
  });

  it('changes nothing while the breaker is open', () => {
    const open = failAt(0, 1, 2);
    expect(countFailures(open, 9, breaker, NOW_US + 9 * SECOND_US)).toBe(open);
    const trying = withProbe(open, { jobId, attempt: 1 });
    expect(countFailures(trying, 9, breaker, NOW_US + 40 * SECOND_US)).toBe(trying);
  });

  it('is shown as long as it counts', () => {
    const two = failAt(0, 10);
    expect(failuresNow(two, NOW_US + 59 * SECOND_US)).toBe(2);
    expect(failuresNow(two, NOW_US + 65 * SECOND_US)).toBe(1);
    expect(failuresNow(failAt(0, 1, 2), NOW_US + 3_600 * SECOND_US)).toBe(3);
  });
});

describe('a probe', () => {
  const open = failAt(0, 1, 2);
  const trying = withProbe(open, { jobId, attempt: 4 });

  it('is due once the breaker has been open long enough', () => {
    expect(isProbeDue(open, NOW_US + 31.9 * SECOND_US)).toBe(false);
    expect(isProbeDue(open, NOW_US + 32 * SECOND_US)).toBe(true);
    expect(isProbeDue(trying, NOW_US + 99 * SECOND_US)).toBe(false);
    expect(isProbeDue(closedBreaker, NOW_US)).toBe(false);
  });

  it('closes the breaker when it succeeds, and resets the count of failures', () => {
    const after = afterProbe(trying, 'SUCCEEDED', NOW_US + 40 * SECOND_US);
    expect(after).toMatchObject({ state: 'CLOSED', tallies: [], probe: null, probeTimeUs: null });
    expect(after.openTimeUs).toBe(open.openTimeUs);
    expect(countFailures(after, 2, breaker, NOW_US + 41 * SECOND_US).state).toBe('CLOSED');
  });

  it('opens the breaker for the same time again when it fails', () => {
    const nowUs = NOW_US + 40 * SECOND_US;
    expect(afterProbe(trying, 'FAILED', nowUs)).toMatchObject({
      state: 'OPEN',
      openTimeUs: nowUs,
      probeTimeUs: nowUs + 30 * SECOND_US,
      probe: null,
    });
  });

  it('is followed by another one at once when it has no result', () => {
    const nowUs = NOW_US + 40 * SECOND_US;
    const after = afterProbe(trying, 'GONE', nowUs);
    expect(after).toMatchObject({ state: 'OPEN', openTimeUs: open.openTimeUs, probe: null });
    expect(isProbeDue(after, nowUs)).toBe(true);
  });

  it('is forgotten when an operator closes the breaker', () => {
    expect(closed(trying)).toMatchObject({ state: 'CLOSED', tallies: [], probe: null, probeTimeUs: null });
  });
});

describe('a breaker', () => {
  const failure = (failureCause: FailureCause, type = 'Oops'): Failure => systemFailure(failureCause, type, 'it broke');

  it.each<[FailureCause, boolean]>([
    ['APPLICATION', true],
    ['TIMEOUT', true],
    ['INFRASTRUCTURE', false],
    ['LOST_WORKER', false],
    ['LEASE_LOST', false],
    ['SESSION_CLOSED', false],
  ])('without types, for cause %s, counts the failure: %s', (cause, counts) => {
    expect(countsAt(breaker, failure(cause))).toBe(counts);
  });

  it('with types counts exactly those types, whatever the cause', () => {
    const named = { types: ['Refused', 'RunTimeout'] };
    expect(countsAt(named, failure('APPLICATION', 'Refused'))).toBe(true);
    expect(countsAt(named, failure('INFRASTRUCTURE', 'Refused'))).toBe(true);
    expect(countsAt(named, failure('APPLICATION', 'refused'))).toBe(false);
  });
});

describe('the failure of an attempt', () => {
  const moment = { nowUs: NOW_US, random: 0.5 };
  const policy = definitionDefaults.retryPolicy;
  const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
  const fail = (run: Partial<OpenRun>) => decideFail(runOf(run), failure, policy, moment);

  it('is the reported one, whether or not the job continues', () => {
    expect(failureOfAttempt(fail({ state: 'RUNNING' }))).toEqual(failure);
    expect(failureOfAttempt(fail({ state: 'ASSIGNED', attemptCount: 2 }))).toEqual(failure);
  });

  it('is the original one when the job ended for another reason', () => {
    const late = fail({ state: 'RUNNING', limits: { ...noLimits, deadlineUs: NOW_US } });
    expect(late).toMatchObject({ kind: 'end', failure: { type: 'TotalTimeout' } });
    expect(failureOfAttempt(late)).toEqual(failure);
  });

  it('is the timeout of an attempt that ran', () => {
    const run = runOf({ state: 'RUNNING', dueTimeUs: NOW_US, limits: { ...noLimits, runDeadlineUs: NOW_US } });
    const change = decideDue(run, policy, moment);
    expect(change && failureOfAttempt(change)).toMatchObject({ type: 'RunTimeout', failureCause: 'TIMEOUT' });
  });

  it.each<JobState>(['SCHEDULED', 'READY', 'PAUSED'])(
    'does not exist for a job that timed out in state %s',
    (state) => {
      const run = runOf({ state, dueTimeUs: NOW_US, limits: { ...noLimits, deadlineUs: NOW_US } });
      const change = decideDue(run, policy, moment);
      expect(change).toMatchObject({ kind: 'end', event: 'timeOut' });
      expect(change && failureOfAttempt(change)).toBeUndefined();
    },
  );

  it('does not exist for an attempt that was asked to stop', () => {
    expect(failureOfAttempt(fail({ state: 'CANCELLING' }))).toBeUndefined();
    const cancel = decideCancel(runOf({ state: 'RUNNING' }), '', 1_000, moment);
    expect(cancel && failureOfAttempt(cancel)).toBeUndefined();
  });
});
