/** Handlers that wait for child jobs: which attempts and losses count, and what limits them. */
import { describe, expect, it } from 'vitest';
import { decideSuspend, MAX_SUSPENSIONS } from '../../../server/domain/dependencies/children.ts';
import { decideUnblock } from '../../../server/domain/dependencies/dependencies.ts';
import { decideRelease, decideSessionEnd } from '../../../server/domain/jobs/decide.ts';
import { MAX_LOSSES } from '../../../server/domain/jobs/losses.ts';
import type { Continue, OpenRun } from '../../../server/domain/jobs/run.ts';
import { NOW_US, runOf } from './support/failing-job.ts';

const moment = { nowUs: NOW_US, random: 0.5 };

/** The run when a session leases it again: one more attempt, and the counts of the last change. */
function heldAgain(
  run: OpenRun,
  { suspensions, releases, releasesSinceUs, consecutiveLosses, totalLosses }: Continue,
): OpenRun {
  return { ...run, suspensions, releases, releasesSinceUs, consecutiveLosses, totalLosses, attempt: run.attempt + 1 };
}

function suspended(times: number, open: number): OpenRun {
  let run = runOf({ state: 'RUNNING', attempt: 1 });
  for (let i = 0; i < times; i++) run = heldAgain(run, decideSuspend(run, open, moment) as Continue);
  return run;
}

describe('a handler that waits for children', () => {
  it('waits, and loses no attempt by it, however often', () => {
    const run = suspended(3 * MAX_LOSSES, 1);
    expect(run.suspensions).toBe(3 * MAX_LOSSES);
    expect(decideSuspend(run, 2, moment)).toMatchObject({
      state: 'WAITING',
      reason: 'its handler waits for 2 children',
    });
    expect(decideRelease({ ...run, state: 'ASSIGNED' }, 'NO_SLOT', moment)).toMatchObject({ state: 'READY' });
    expect(decideSessionEnd(run, 'LAPSE', moment)).toMatchObject({ state: 'READY', totalLosses: 1 });
  });

  it('continues at once when the children have already ended', () => {
    expect(decideSuspend(suspended(1, 1), 0, moment)).toMatchObject({ kind: 'continue', state: 'READY', reason: null });
  });

  it('counts as started, so that it no longer expires, even without a child', () => {
    const expireTimeUs = NOW_US + 1_000_000;
    const due = (times: number) => decideSuspend({ ...suspended(times, 1), expireTimeUs }, 0, moment) as Continue;
    expect(due(0).dueTimeUs).toBeNull();
    expect(decideUnblock({ ...runOf({ state: 'BLOCKED' }), expireTimeUs }, moment)).toMatchObject({
      dueTimeUs: expireTimeUs,
    });
    const woken = { ...suspended(1, 1), state: 'WAITING', expireTimeUs } as const;
    expect(decideUnblock(woken, moment)).toMatchObject({ state: 'READY', dueTimeUs: null });
  });

  it('backs off when it waits repeatedly for children that have ended', () => {
    const change = decideSuspend(suspended(10, 0), 0, moment);
    expect(change).toMatchObject({ state: 'SCHEDULED', reason: expect.stringContaining('nothing to wait for') });
    expect((change as Continue).dueTimeUs).toBeGreaterThan(NOW_US);
  });

  it('fails after the maximum number of waits', () => {
    const run = runOf({ state: 'RUNNING', attempt: MAX_SUSPENSIONS + 1, suspensions: MAX_SUSPENSIONS });
    expect(decideSuspend(run, 1, moment)).toMatchObject({ kind: 'end', failure: { type: 'WaitedTooOften' } });
  });
});
