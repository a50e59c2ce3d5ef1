/** Temporal's retries and limits with the same numbers. Rows say where Muster differs. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../server/domain/base/payload.ts';
import { decideFail } from '../../../server/domain/jobs/decide.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import { failed, NOW_US, play, policyOf, runOf } from './support/failing-job.ts';

const temporal: Partial<RetryPolicy> = {
  maxAttempts: 1_000,
  minBackoffMs: 1_000,
  multiplier: 2,
  maxBackoffMs: 100_000,
};

const times = (count: number, failure: Failure = failed()) => Array.from({ length: count }, () => failure);

describe('the intervals of retries', () => {
  it.each<[string, Partial<RetryPolicy>, number[]]>([
    ['1 s, doubled, up to 100 times the first', {}, [1, 2, 4, 8, 16, 32, 64, 100, 100]],
    ['a coefficient of 1 is constant', { multiplier: 1 }, [1, 1, 1, 1]],
    ['a coefficient of 1.5', { multiplier: 1.5 }, [1, 1.5, 2.25, 3.375]],
    ['a coefficient of 10 reaches the cap at once', { multiplier: 10, maxBackoffMs: 5_000 }, [1, 5, 5]],
    ['a cap of the first interval', { maxBackoffMs: 1_000 }, [1, 1, 1]],
  ])('are as in Temporal: %s', (_what, changes, seconds) => {
    const { waitsMs } = play(policyOf({ ...temporal, ...changes }), ...times(seconds.length));
    expect(waitsMs).toEqual(seconds.map((s) => s * 1_000));
  });
});

describe('the maximum number of attempts', () => {
  it.each([
    ['1 means no retry', 1],
    ['2 means one', 2],
    ['5 means four', 5],
  ])('is as in Temporal: %s', (_what, maxAttempts) => {
    const { last, waitsMs } = play(policyOf({ ...temporal, maxAttempts }), ...times(9));
    expect(last).toMatchObject({ state: 'FAILED', attemptCount: maxAttempts });
    expect(waitsMs).toHaveLength(maxAttempts - 1);
  });
});

describe('an error that is not retried:', () => {
  const policy = policyOf({ ...temporal, nonRetryableTypes: ['InvalidCard', 'Gone'] });

  it.each<[string, Failure, string]>([
    ['a type of the list ends the job', failed({ type: 'InvalidCard' }), 'FAILED'],
    ['the second type of the list ends it too', failed({ type: 'Gone' }), 'FAILED'],
    ['types are compared with case', failed({ type: 'gone' }), 'SCHEDULED'],
    ['types are compared as a whole', failed({ type: 'GoneAway' }), 'SCHEDULED'],
    ['the message is ignored', failed({ message: 'Gone' }), 'SCHEDULED'],
    ['the cause is ignored', failed({ cause: failed({ type: 'Gone' }) }), 'SCHEDULED'],
    ['a failure may be final itself', failed({ nonRetryable: true }), 'FAILED'],
  ])('%s', (_what, failure, state) => {
    expect(play(policy, failure).last.state).toBe(state);
  });

  it('is retried nevertheless when a retry rule says so', () => {
    const rules: RetryPolicy['rules'] = [{ types: ['Gone'], action: 'RETRY' }];
    expect(play({ ...policy, rules }, failed({ type: 'Gone' })).last.state).toBe('SCHEDULED');
  });
});

describe('the total time of retries', () => {
  // 1 + 2 + 4 + 8 = 15 s: the fifth attempt begins at 15 s, the sixth would begin at 31 s.
  it.each([
    ['allows an attempt that begins at its end', 15_000, 5],
    ['ends the job at once when the next attempt would be a millisecond late', 14_999, 4],
    ['ends the job long before its end when the next attempt would be a millisecond late', 30_999, 5],
  ])('%s', (_what, maxRetryDurationMs, attempts) => {
    const { last, waitsMs } = play(policyOf({ ...temporal, maxRetryDurationMs }), ...times(9));
    expect(last).toMatchObject({ kind: 'end', state: 'FAILED', attemptCount: attempts });
    expect(last.reason).toMatch(/max_retry_duration/);
    expect(waitsMs).toEqual([1_000, 2_000, 4_000, 8_000].slice(0, attempts - 1));
  });

  it('applies to ignored failures too', () => {
    const rules: RetryPolicy['rules'] = [{ action: 'IGNORE', delayMs: 5_000 }];
    const { last, waitsMs } = play(policyOf({ rules, maxRetryDurationMs: 12_000 }), ...times(9));
    expect(last.state).toBe('FAILED');
    expect(waitsMs).toEqual([5_000, 5_000]);
  });
});

describe('a delay that the failure sets', () => {
  const later = (retryDelayMs: number) => failed({ retryDelayMs });

  it.each<[string, Partial<RetryPolicy>, Failure[], number[]]>([
    ['replaces the interval, over the cap too', {}, [failed(), later(500_000), failed()], [1_000, 500_000, 4_000]],
    ['may be none: the shortest wait is taken', {}, [later(0), failed()], [1, 2_000]],
    ['goes before that of a rule', { rules: [{ action: 'RETRY', delayMs: 7 }] }, [later(9), failed()], [9, 7]],
  ])('%s', (_what, changes, happens, waits) => {
    expect(play(policyOf({ ...temporal, ...changes }), ...happens).waitsMs).toEqual(waits);
  });

  it.each<[string, Partial<RetryPolicy>]>([
    ['the number of attempts', { maxAttempts: 1 }],
    ['the total time', { maxRetryDurationMs: 4_999 }],
    ['a limit for the cause', { limits: { APPLICATION: 1 } }],
    ['a rule that ends the job', { rules: [{ action: 'FAIL' }] }],
  ])('does not override %s', (_what, changes) => {
    expect(play(policyOf({ ...temporal, ...changes }), later(5_000)).last.state).toBe('FAILED');
  });
});

describe('a rule with the action PAUSE', () => {
  const rules: RetryPolicy['rules'] = [{ types: ['Error'], action: 'PAUSE' }];

  it('pauses the job until an operator resumes it, without a due time or expiry', () => {
    const { last } = play(policyOf({ rules }), failed());
    expect(last).toMatchObject({ state: 'PAUSED', dueTimeUs: null, attemptCount: 1, closed: { counted: true } });
    expect(last.reason).toBe('paused by retry rule 1: attempt 1 of 3 failed (Error); ResumeJob continues it');
  });

  it('ends the job when no attempt is left, in number or in time', () => {
    expect(play(policyOf({ rules, maxAttempts: 1 }), failed()).last.state).toBe('FAILED');
    const late = policyOf({ rules, maxRetryDurationMs: 1_000 });
    const endOf = (ageMs: number) =>
      decideFail(runOf({ createTimeUs: NOW_US - ageMs * 1_000 }), failed(), late, { nowUs: NOW_US, random: 0.5 }).state;
    expect([endOf(1_000), endOf(1_001)]).toEqual(['PAUSED', 'FAILED']);
  });
});
