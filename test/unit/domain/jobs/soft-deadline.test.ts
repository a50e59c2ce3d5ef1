/** Soft deadlines: when they are, and what raises the priority of a job that has missed its own. */
import { describe, expect, it } from 'vitest';
import { rankOf } from '../../../../server/domain/dispatch/rank.ts';
import { entryKindOf } from '../../../../server/domain/jobs/inbox.ts';
import { heldStates } from '../../../../server/domain/jobs/job-state.ts';
import { decideRaise, isMiss, jobDeadlineOf } from '../../../../server/domain/jobs/soft-deadline.ts';
import { NOW_US, runOf } from '../support/waiting-job.ts';

const reaction = { reaction: 'RAISE_PRIORITY', priority: 90 } as const;
const second = 1_000_000;

describe('jobDeadlineOf', () => {
  it('counts from when the job may run, unless it is a time itself', () => {
    expect(jobDeadlineOf({ afterMs: 1_000, ...reaction }, NOW_US)).toEqual({ timeUs: NOW_US + second, ...reaction });
    expect(jobDeadlineOf({ timeUs: 5, ...reaction }, NOW_US)).toEqual({ timeUs: 5, ...reaction });
  });
});

describe('decideRaise', () => {
  it('gives a waiting job the rank that it would have had', () => {
    const run = runOf({ rank: rankOf(NOW_US, 3), priority: 3, expireTimeUs: NOW_US + 500 * second });
    expect(decideRaise(run, 90)).toMatchObject({
      event: 'raise',
      state: 'READY',
      rank: rankOf(NOW_US, 90, run.expireTimeUs),
      record: { priority: 90, runTimeUs: null, expireTimeUs: run.expireTimeUs },
    });
  });

  it('changes nothing else, whatever the job waits for', () => {
    const scheduled = runOf({ state: 'SCHEDULED', dueTimeUs: NOW_US + second, rank: NOW_US + second });
    expect(decideRaise(scheduled, 1)).toMatchObject({ state: 'SCHEDULED', dueTimeUs: NOW_US + second });
    const paused = runOf({ state: 'PAUSED', begun: true, pausedWithParent: true, exhausted: true, runTimeUs: 7 });
    expect(decideRaise(paused, 1)).toMatchObject({
      state: 'PAUSED',
      begun: true,
      pausedWithParent: true,
      exhausted: true,
      runTimeUs: 7,
    });
  });

  it('keeps the attempt of a job that is held, and a request to stop it', () => {
    const suspension = { untilUs: NOW_US + second, to: 'PAUSED' } as const;
    const raised = decideRaise(runOf({ state: 'RUNNING', attempt: 1, suspension }), 1);
    expect(raised).toMatchObject({ state: 'RUNNING', suspension });
    expect(raised?.closed).toBeUndefined();
  });

  it('concerns the children of a paused workflow no more than those of another one', () => {
    for (const begun of [true, false]) {
      const raised = decideRaise(runOf({ state: begun ? 'PAUSED' : 'WAITING', begun }), 1);
      expect(raised && entryKindOf(raised)).toBeUndefined();
    }
  });

  it('lowers no priority, and leaves a job alone that is being stopped', () => {
    expect(decideRaise(runOf({ priority: 5 }), 5)).toBeUndefined();
    expect(decideRaise(runOf({ state: 'CANCELLING' }), 100)).toBeUndefined();
  });
});

it('isMiss is true of a missed deadline, not of a new state', () => {
  for (const state of heldStates) expect(isMiss({ previousState: state, state })).toBe(true);
  expect(isMiss({ previousState: 'READY', state: 'FAILED' })).toBe(false);
  expect(isMiss({ previousState: undefined, state: 'READY' })).toBe(false);
});
