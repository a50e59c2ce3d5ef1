/** Time limits as tables: which limit is reached first, and timeouts as in Temporal where Muster has the same. */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { decideFail } from '../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../server/domain/jobs/decide-due.ts';
import type { OpenRun } from '../../../../server/domain/jobs/run.ts';
import { limitsFrom, noLimits, overrunOf, type RunLimits } from '../../../../server/domain/jobs/time-limits.ts';
import { openRunAt, SESSION_ID } from '../../../support/jobs/open-run.ts';

const NOW = 1_000_000_000;
const [PAST, LATER] = [NOW - 1, NOW + 1_000_000];
const moment = { nowUs: NOW, random: 0.5 };
const policy = { ...definitionDefaults.retryPolicy, jitter: 'NONE' as const };
const watchdog = { minFraction: 0.1, windowMs: 1_000 };

function runOf(state: OpenRun['state'], limits: Partial<RunLimits>, rest: Partial<OpenRun> = {}): OpenRun {
  const isHeld = state === 'RUNNING' || state === 'ASSIGNED';
  const held = isHeld ? { attempt: 1, sessionId: SESSION_ID, assignTimeUs: PAST } : {};
  return openRunAt(0, { state, rank: NOW, dueTimeUs: PAST, limits: { ...noLimits, ...limits }, ...held, ...rest });
}

describe('limits of a new job', () => {
  it('count from the time at which the job may run', () => {
    expect(limitsFrom({ queueTimeoutMs: 5, totalTimeoutMs: 7 }, NOW)).toEqual({
      queueUntilUs: NOW + 5_000,
      deadlineUs: NOW + 7_000,
    });
    expect(limitsFrom(undefined, NOW)).toEqual({ queueUntilUs: undefined, deadlineUs: undefined });
  });
});

describe('the limit that a running attempt has reached is', () => {
  it.each<[string, Partial<RunLimits>, string]>([
    ['its run timeout', { runDeadlineUs: PAST, deadlineUs: LATER }, 'RUN'],
    ['the total timeout before its run timeout', { runDeadlineUs: PAST, deadlineUs: PAST }, 'TOTAL'],
    ['the silence it may keep', { runDeadlineUs: LATER, quietDeadlineUs: PAST }, 'SILENT'],
    ['a window without progress', { watchUntilUs: PAST, watchFraction: 0.5, progressFraction: 0.55 }, 'SLOW'],
    ['a window with just enough', { watchUntilUs: PAST, watchFraction: 0.25, progressFraction: 0.375 }, 'ON_PACE'],
    ['a window in which it never spoke', { watchUntilUs: PAST }, 'SLOW'],
    ['a window that is not over, so another limit is due', { watchUntilUs: LATER }, 'RUN'],
  ])('%s', (_what, limits, expected) => {
    expect(overrunOf({ ...noLimits, ...limits }, watchdog, NOW)).toBe(expected);
  });
});

describe('the decision when a job falls due:', () => {
  it.each<[string, OpenRun, object]>([
    [
      'the total timeout ends a job that waits',
      runOf('READY', { deadlineUs: PAST }),
      { state: 'FAILED', failure: { failureCause: 'TIMEOUT', type: 'TotalTimeout' } },
    ],
    [
      'a queue wait that is too long is an expiry, and is not retried (schedule-to-start)',
      runOf('READY', { deadlineUs: LATER }, { expireTimeUs: PAST }),
      { state: 'EXPIRED', failure: { failureCause: 'EXPIRED' } },
    ],
    ['a paused job keeps its total timeout', runOf('PAUSED', { deadlineUs: PAST }), { state: 'FAILED' }],
    [
      'a paused workflow stops its steps, and a pause that gave them less time no longer counts',
      runOf(
        'PAUSED',
        { deadlineUs: PAST },
        { begun: true, suspension: { untilUs: PAST, to: 'PAUSED' }, pausedWithParent: true },
      ),
      { event: 'timeOut', state: 'WAITING', suspension: null, pausedWithParent: false },
    ],
    ['a job whose time to run comes too late', runOf('SCHEDULED', { deadlineUs: PAST }), { state: 'FAILED' }],
    [
      'a job that may run now waits until its deadline',
      runOf('SCHEDULED', { deadlineUs: LATER }),
      { state: 'READY', dueTimeUs: LATER },
    ],
    [
      'the total timeout ends a running job, however many attempts are left (schedule-to-close)',
      runOf('RUNNING', { deadlineUs: PAST }),
      { state: 'FAILED', attemptCount: 1, failure: { type: 'TotalTimeout' } },
    ],
    [
      'a run timeout is followed by another attempt (start-to-close)',
      runOf('RUNNING', { runDeadlineUs: PAST }),
      { state: 'SCHEDULED', closed: { outcome: 'TIMED_OUT', counted: true } },
    ],
    [
      'silence is followed by another attempt (heartbeat)',
      runOf('RUNNING', { quietDeadlineUs: PAST }),
      { state: 'SCHEDULED', closed: { outcome: 'TIMED_OUT', failure: { type: 'ProgressTimeout' } } },
    ],
    [
      'too little progress is followed by another attempt',
      runOf('RUNNING', { watchUntilUs: PAST }),
      { state: 'SCHEDULED', closed: { failure: { type: 'ProgressTooSlow' } } },
    ],
    [
      'enough progress begins the next window, and no other limit is forgotten',
      runOf('RUNNING', { watchUntilUs: PAST, progressFraction: 0.4, runDeadlineUs: NOW + 500_000 }),
      { event: 'watch', state: 'RUNNING', watch: { untilUs: LATER, fraction: 0.4 }, dueTimeUs: NOW + 500_000 },
    ],
  ])('%s', (_what, run, expected) => {
    expect(decideDue(run, policy, moment, { watchdog, progressTimeoutMs: 5 })).toMatchObject(expected);
  });
});

describe('a retry that would begin after the total timeout', () => {
  const failure = systemFailure('APPLICATION', 'Oops', 'it broke');

  it('is not scheduled: the job times out at once, and keeps the last failure', () => {
    const run = runOf('RUNNING', { deadlineUs: NOW + 999_999 });
    expect(decideFail(run, failure, policy, moment)).toMatchObject({
      kind: 'end',
      state: 'FAILED',
      attemptCount: 1,
      failure: { type: 'TotalTimeout', cause: { type: 'Oops' } },
    });
  });

  it('is scheduled when it begins exactly in time', () => {
    const run = runOf('RUNNING', { deadlineUs: NOW + 1_000_000 });
    expect(decideFail(run, failure, policy, moment)).toMatchObject({ state: 'SCHEDULED', dueTimeUs: NOW + 1_000_000 });
  });
});
