/** Every decision on every open job is legal by the transition table, bounded, and never undoes a cancel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../server/domain/base/payload.ts';
import { decideSuspend } from '../../../server/domain/dependencies/children.ts';
import { decideUnblock } from '../../../server/domain/dependencies/dependencies.ts';
import { countOf } from '../../../server/domain/jobs/cause-counts.ts';
import * as decide from '../../../server/domain/jobs/decide.ts';
import { decideDue, decideTimeOut } from '../../../server/domain/jobs/decide-due.ts';
import { decideLoss } from '../../../server/domain/jobs/decide-loss.ts';
import { isLegal, isTerminal, type JobState, sourcesOf } from '../../../server/domain/jobs/job-state.ts';
import {
  decidePause,
  decideResume,
  decideUpdate,
  type PauseRefusal,
  type Update,
} from '../../../server/domain/jobs/pause.ts';
import { decideWithParent } from '../../../server/domain/jobs/pause-children.ts';
import type { Change, OpenRun } from '../../../server/domain/jobs/run.ts';
import { decideRaise } from '../../../server/domain/jobs/soft-deadline.ts';
import { noLimits } from '../../../server/domain/jobs/time-limits.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import type { RetryCause } from '../../../server/domain/retries/retry-rules.ts';
import {
  decideBeginWait,
  decideCancelWait,
  decideEndWait,
  decideWaitDue,
} from '../../../server/domain/signals/wait.ts';
import { decideFinish, decideStart } from '../../../server/domain/workflows/life.ts';
import {
  chance,
  failure,
  isHeld,
  NOON_US,
  openRun,
  openStates,
  retryPolicy,
  runLimits,
  update,
} from '../base/arbitraries.ts';

interface Case {
  readonly run: OpenRun;
  readonly policy: RetryPolicy;
  readonly failure: Failure;
  readonly moment: decide.Moment;
  readonly how: decide.SessionEnd;
  readonly update: Update;
}

const result = { data: new Uint8Array(), contentType: '' };
const suspend = { reason: 'why', graceMs: 1_000, stopsTimeouts: true };
const settings = { cancelGraceMs: 1_000, totalTimeoutMs: 60_000, hasChildren: true };
const held = openStates.filter(isHeld);
const limits = { progressTimeoutMs: 5_000, watchdog: { minFraction: 0.1, windowMs: 1_000 } };

/**
 * Each decision with the states in which the engine may ask for it: reports and session ends concern only leased
 * attempts.
 */
const decisions: Record<string, { from: readonly JobState[]; ask: (c: Case) => Change | undefined }> = {
  decideFail: { from: held, ask: (c) => decide.decideFail(c.run, c.failure, c.policy, c.moment) },
  decideRelease: { from: held, ask: (c) => decide.decideRelease(c.run, 'NO_SLOT', c.moment) },
  decideAbort: { from: held, ask: (c) => decide.decideAbort(c.run, c.moment) },
  decideSessionEnd: {
    from: held,
    ask: (c) => decide.decideSessionEnd(c.run, c.how, c.moment),
  },
  decideConfirmCancel: {
    from: held,
    ask: (c) => decide.decideConfirmCancel(c.run, c.moment),
  },
  decideTimeOut: {
    from: ['RUNNING', 'CANCELLING'],
    ask: (c) => decideTimeOut(c.run, c.policy, c.moment),
  },
  'decideLoss of an abort': {
    from: held,
    ask: (c) => decideLoss(decide.decideAbort(c.run, c.moment), c.policy, c.moment),
  },
  'decideLoss of a cancel that nobody asked for': {
    from: held,
    ask: (c) => decideLoss(decide.decideConfirmCancel(c.run, c.moment), c.policy, c.moment),
  },
  'decideLoss of a session': {
    from: held,
    ask: (c) => decideLoss(decide.decideSessionEnd(c.run, c.how, c.moment), c.policy, c.moment, c.how !== 'MASS_LAPSE'),
  },
  decideCancel: { from: openStates, ask: (c) => decide.decideCancel(c.run, 'why', 30_000, c.moment) },
  'decideCancel with a grace period of its own': {
    from: openStates,
    ask: (c) => decide.decideCancel(c.run, 'why', 30_000, c.moment, 1_000),
  },
  'decideCancel without a grace period': {
    from: openStates,
    ask: (c) => decide.decideCancel(c.run, 'why', 30_000, c.moment, 0),
  },
  decideDue: { from: openStates, ask: (c) => decideDue(c.run, c.policy, c.moment, limits) },
  decideDueWhileRunning: {
    from: ['RUNNING'],
    ask: (c) => decideDue({ ...c.run, dueTimeUs: NOON_US }, c.policy, c.moment, limits),
  },
  // Few random runs reach this state, and sometimes none.
  'decideDue of a window in which enough was done': {
    from: ['RUNNING'],
    ask: (c) => {
      const onPace = { ...noLimits, watchUntilUs: NOON_US, watchFraction: 0, progressFraction: 0.5 };
      return decideDue({ ...c.run, dueTimeUs: NOON_US, limits: onPace }, c.policy, c.moment, limits);
    },
  },
  'decideDue of a workflow that is out of time': {
    from: ['WAITING'],
    ask: (c) => decideDue({ ...c.run, dueTimeUs: NOON_US }, c.policy, c.moment, limits),
  },
  decideStart: { from: openStates, ask: (c) => decideStart(c.run) },
  'decideFinish as a failure': {
    from: openStates,
    ask: (c) => decideFinish(c.run, { state: 'FAILED', failure: c.failure }),
  },
  'decideFinish as a success': { from: openStates, ask: (c) => decideFinish(c.run, { state: 'SUCCEEDED', result }) },
  decideBeginWait: { from: openStates, ask: (c) => decideBeginWait(c.run, NOON_US) },
  decideEndWait: { from: openStates, ask: (c) => decideEndWait(c.run, { state: 'FAILED', failure: c.failure }) },
  decideCancelWait: { from: openStates, ask: (c) => decideCancelWait(c.run, 'why') },
  decideWaitDue: { from: ['WAITING'], ask: (c) => decideWaitDue({ ...c.run, dueTimeUs: NOON_US }, NOON_US) },
  decidePause: { from: openStates, ask: (c) => taken(decidePause(c.run, { reason: 'why' }, c.moment.nowUs)) },
  'decidePause of a workflow': {
    from: ['WAITING', 'PAUSED'],
    ask: (c) => taken(decidePause(c.run, { reason: 'why', childGraceMs: 1_000 }, c.moment.nowUs)),
  },
  'decideWithParent of a paused one': {
    from: openStates,
    ask: (c) => decideWithParent({ ...c.run, state: 'PAUSED' }, c.run, settings, c.moment),
  },
  'decideWithParent of one that goes on': {
    from: openStates,
    ask: (c) => decideWithParent({ ...c.run, state: 'WAITING' }, c.run, settings, c.moment),
  },
  'decidePause of what runs': { from: openStates, ask: (c) => taken(decidePause(c.run, suspend, c.moment.nowUs)) },
  'decideSuspend with nothing to wait for': { from: held, ask: (c) => decideSuspend(c.run, 0, c.moment) },
  'decideSuspend with children': { from: held, ask: (c) => decideSuspend(c.run, 3, c.moment) },
  decideUnblock: { from: ['BLOCKED', 'WAITING'], ask: (c) => decideUnblock(c.run, c.moment) },
  'decideResume of what was asked to stop': {
    from: ['ASSIGNED', 'RUNNING', 'WAITING'],
    ask: (c) => decideResume({ ...c.run, suspension: { untilUs: NOON_US, to: 'PAUSED' } }, c.moment),
  },
  decideResume: { from: openStates, ask: (c) => decideResume(c.run, c.moment) },
  decideUpdate: { from: openStates, ask: (c) => taken(decideUpdate(c.run, c.update, c.moment)) },
  decideRaise: { from: openStates, ask: (c) => decideRaise(c.run, c.update.priority ?? 100) },
};

function taken(decision: Change | PauseRefusal | undefined): Change | undefined {
  return typeof decision === 'string' ? undefined : decision;
}

function caseFrom(states: readonly JobState[]): fc.Arbitrary<Case> {
  return fc.tuple(fc.constantFrom(...states), retryPolicy).chain(([state, policy]) =>
    fc.record({
      run: fc.tuple(openRun(state, policy), runLimits(state)).map(([run, limits]) => ({ ...run, limits })),
      policy: fc.constant(policy),
      failure,
      moment: chance.map((random) => ({ nowUs: NOON_US, random })),
      how: fc.constantFrom<decide.SessionEnd>('LAPSE', 'CLOSE', 'MASS_LAPSE', 'WORKER_LOST'),
      update,
    }),
  );
}

/** Checks `hold` on every change by any decision from any allowed state. */
function always(hold: (change: Change, given: Case) => void): void {
  for (const { from, ask } of Object.values(decisions)) {
    fc.assert(
      fc.property(caseFrom(from), (given) => {
        const change = ask(given);
        if (change) hold(change, given);
      }),
      { numRuns: 300 },
    );
  }
}

describe('every decision', () => {
  it('is legal by the transition table', () => {
    always((change, { run }) => {
      expect([change.event, run.state, change.state]).toSatisfy(() => isLegal(change.event, run.state, change.state));
    });
  });

  it('accepts every source state of its event in the table, and changes something there', () => {
    const seen = new Set<string>();
    always((change, { run }) => void seen.add(`${change.event} ${run.state}`));
    const asked = [
      'fail',
      'release',
      'abort',
      'lapse',
      'closeSession',
      'confirmCancel',
      'timeOut',
      'watch',
      'requestCancel',
      'pause',
      'resume',
      'update',
      'start',
      'finish',
      'await',
      'suspend',
      'wake',
      'unblock',
    ] as const;
    const missing = asked.flatMap((event) =>
      sourcesOf(event).flatMap((from) => (seen.has(`${event} ${from}`) ? [] : [`${event} ${from}`])),
    );
    expect(missing).toEqual([]);
  });

  it('ends a job exactly when it says so', () => {
    always((change) => expect(isTerminal(change.state)).toBe(change.kind === 'end'));
  });

  it('never reverts a cancel', () => {
    always((change, { run }) => {
      if (run.state !== 'CANCELLING') return;
      // A second cancel may only shorten the grace period.
      expect(change.state).toBe(
        change.event === 'requestCancel' && change.kind === 'continue' ? 'CANCELLING' : 'CANCELLED',
      );
    });
  });

  it('never counts more attempts than the policy allows or than there were', () => {
    always((change, { run, policy }) => {
      expect(change.attemptCount).toBeLessThanOrEqual(policy.maxAttempts);
      expect(change.attemptCount).toBeLessThanOrEqual(run.attempt);
      if (change.event === 'resume' && run.exhausted) expect(change.attemptCount).toBe(0);
      else expect(change.attemptCount - run.attemptCount).toBeOneOf([0, 1]);
      if (change.kind === 'continue' && !change.exhausted) expect(change.attemptCount).toBeLessThan(policy.maxAttempts);
    });
  });

  it('never lets a cause fail more often than its limit allows', () => {
    always((change, { policy }) => {
      if (change.kind === 'end' || change.exhausted) return;
      for (const [cause, limit] of Object.entries(policy.limits ?? {}))
        expect(countOf(change.failures, cause as RetryCause)).toBeLessThan(limit);
    });
  });

  it('satisfies the schema: a due time for a waiting job, whole microseconds, a failure for each bad end', () => {
    always((change, { run }) => {
      if (change.kind === 'end') {
        expect(change.failure !== undefined).toBe(change.state !== 'SUCCEEDED');
        return;
      }
      // A workflow has no grace: it is CANCELLING until its clean-up is done.
      const hasGrace = change.state === 'CANCELLING' && run.sessionId !== null;
      if (change.state === 'SCHEDULED' || hasGrace) expect(change.dueTimeUs).not.toBeNull();
      if (change.event === 'raise') expect(change.dueTimeUs).toBe(run.dueTimeUs);
      else if (change.state === 'SCHEDULED') expect(change.dueTimeUs).toBeGreaterThan(NOON_US);
      expect(Number.isSafeInteger(change.rank)).toBe(true);
      if (change.dueTimeUs !== null) expect(Number.isSafeInteger(change.dueTimeUs)).toBe(true);
    });
  });

  it('lets a job that is to be paused wait for no worker', () => {
    always((change, { run }) => {
      if (run.suspension?.to !== 'PAUSED' || change.event === 'resume') return;
      expect(['READY', 'SCHEDULED']).not.toContain(change.state);
    });
  });

  it('counts no attempt that was stopped on request, and forgets the request with it', () => {
    always((change, { run }) => {
      if (change.kind === 'end') return;
      if (change.event === 'suspend') expect(change.attemptCount).toBe(run.attemptCount);
      const isFamily = change.begun || (change.state === 'CANCELLING' && run.sessionId === null);
      if (!['ASSIGNED', 'RUNNING', 'WAITING'].includes(change.state) && !isFamily) expect(change.suspension).toBeNull();
    });
  });

  it('keeps a workflow that had begun from starting anew, and marks only what is or will be paused', () => {
    always((change, { run }) => {
      if (change.kind === 'end') return;
      if (run.begun) expect(['PAUSED', 'WAITING', 'CANCELLING']).toContain(change.state);
      if (change.begun) expect(change.state).toBe('PAUSED');
      if (change.pausedWithParent) expect(change.state === 'PAUSED' || change.suspension !== null).toBe(true);
    });
  });

  it('closes one attempt for each that is over while the job continues', () => {
    always((change, { run }) => {
      if (change.kind === 'end') return;
      const over = isHeld(run.state) && !isHeld(change.state);
      expect(change.closed !== undefined).toBe(over);
      if (change.closed) expect(change.closed.counted).toBe(change.attemptCount > run.attemptCount);
    });
  });
});
