/** Pauses of workflows and batches, in typical cases: the workflow itself, and its jobs with it. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../server/domain/definitions/definition.ts';
import { decideCancel } from '../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../server/domain/jobs/decide-due.ts';
import { entryKindOf } from '../../../../server/domain/jobs/inbox.ts';
import { decidePause, decideResume, decideUpdate } from '../../../../server/domain/jobs/pause.ts';
import { decideWithParent } from '../../../../server/domain/jobs/pause-children.ts';
import type { Change, Continue, OpenRun } from '../../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../../server/domain/jobs/time-limits.ts';
import { NOW_US, runOf } from '../support/waiting-job.ts';

const SECOND_US = 1_000_000;
const now = { nowUs: NOW_US, random: 0.5 };
const { retryPolicy } = definitionDefaults;
const deadlineUs = NOW_US + 60 * SECOND_US;
const limits = { ...noLimits, deadlineUs };
const workflow = runOf({ state: 'WAITING', dueTimeUs: deadlineUs, limits });
const paused = { ...workflow, state: 'PAUSED', begun: true, reason: 'the disk is full' } as const;
const hasten = { ...paused, suspension: { untilUs: NOW_US + SECOND_US, to: 'PAUSED' } } as const;
const settings = { cancelGraceMs: 30_000, totalTimeoutMs: undefined, hasChildren: false };
const running = runOf({ state: 'RUNNING', attempt: 1, sessionId: 's' });

function entryOf(change: Change | string | undefined): string | undefined {
  return entryKindOf(change as Continue);
}

/** The run as a change leaves it. */
function changed(run: OpenRun, change: Change | string | undefined): OpenRun {
  const { state, suspension, begun, pausedWithParent, timeoutsStopped, reason } = change as Continue;
  return { ...run, state, suspension, begun, pausedWithParent, timeoutsStopped, reason };
}

describe('a workflow that has begun', () => {
  it('is paused at once, and asks for its jobs to be paused', () => {
    const change = decidePause(workflow, { reason: 'the disk is full', childGraceMs: null }, NOW_US);
    expect(change).toMatchObject({ state: 'PAUSED', begun: true, suspension: null, dueTimeUs: deadlineUs });
    expect(entryOf(change)).toBe('PAUSE_CHILDREN');
  });

  it('is not paused by a request that leaves alone what runs', () => {
    expect(decidePause(workflow, { reason: '' }, NOW_US)).toBe('NOT_WAITING');
  });

  it('keeps until when the handlers of its jobs may take; a second request can only shorten that', () => {
    const first = changed(workflow, decidePause(workflow, { reason: '', childGraceMs: 10_000 }, NOW_US));
    expect(first.suspension).toEqual({ untilUs: NOW_US + 10 * SECOND_US, to: 'PAUSED' });
    expect(decidePause(first, { reason: '', childGraceMs: 20_000 }, NOW_US)).toBeUndefined();
    const second = decidePause(first, { reason: '', childGraceMs: 1_000 }, NOW_US);
    expect(second).toMatchObject({ suspension: hasten.suspension, begun: true });
    expect(entryOf(second)).toBe('PAUSE_CHILDREN');
  });

  it('continues when it is resumed, and so do its jobs', () => {
    const change = decideResume(hasten, now);
    expect(change).toMatchObject({ state: 'WAITING', begun: false, suspension: null, dueTimeUs: deadlineUs });
    expect(entryOf(change)).toBe('PAUSE_CHILDREN');
  });

  it('continues in order to stop when its total timeout has passed', () => {
    const change = decideDue({ ...paused, dueTimeUs: NOW_US }, retryPolicy, now);
    expect(change).toMatchObject({ event: 'timeOut', state: 'WAITING', begun: false });
    expect(entryOf(change)).toBe('TIME_OUT');
  });

  it('can have its total timeout stopped, also when it is paused already; a resume starts that anew', () => {
    const stop = { reason: '', childGraceMs: null, stopsTimeouts: true };
    const change = decidePause(paused, stop, NOW_US);
    expect(change).toMatchObject({ timeoutsStopped: true, deadlineUs: null, dueTimeUs: null });
    expect(decideResume(changed(paused, change), now, 5_000)).toMatchObject({ deadlineUs: NOW_US + 5 * SECOND_US });
  });

  it('is cancelled with its jobs while it is paused', () => {
    const change = decideCancel(paused, 'no longer needed', 30_000, now);
    expect(change).toMatchObject({ state: 'CANCELLING', begun: false, dueTimeUs: null });
    expect(entryOf(change)).toBe('CANCEL');
  });

  it('never expires, and gets no other rank or time', () => {
    const late = { ...paused, expireTimeUs: NOW_US - SECOND_US };
    expect(decideResume(late, now)).toMatchObject({ state: 'WAITING' });
    expect(decideUpdate(late, { priority: 5 }, now)).toBe('NOT_WAITING');
  });
});

describe('a job of a paused workflow', () => {
  it('is paused if it waits, and named with its workflow', () => {
    expect(decideWithParent(paused, runOf(), settings, now)).toMatchObject({
      state: 'PAUSED',
      pausedWithParent: true,
      reason: `job ${paused.jobId}, to which it belongs, is paused: the disk is full`,
    });
  });

  it('is asked to stop if it runs, within the grace period of its definition or what is left of the request', () => {
    const usual = decideWithParent(paused, running, settings, now);
    expect(usual).toMatchObject({ state: 'RUNNING', suspension: { untilUs: NOW_US + 30 * SECOND_US, to: 'PAUSED' } });
    const soon = decideWithParent(hasten, running, settings, now);
    expect(soon).toMatchObject({ suspension: { untilUs: NOW_US + SECOND_US }, pausedWithParent: true });
    const late = { ...now, nowUs: NOW_US + 5 * SECOND_US };
    expect(decideWithParent(hasten, running, settings, late)).toMatchObject({ suspension: { untilUs: late.nowUs } });
  });

  it('is paused with its own jobs if it is a workflow itself', () => {
    const inner = decideWithParent(hasten, workflow, { ...settings, hasChildren: true }, now);
    expect(inner).toMatchObject({ state: 'PAUSED', begun: true, suspension: hasten.suspension });
    expect(entryOf(inner)).toBe('PAUSE_CHILDREN');
  });

  it('continues if it is a wait', () => {
    expect(decideWithParent(paused, runOf({ state: 'WAITING' }), settings, now)).toBeUndefined();
  });

  it('is resumed with the workflow', () => {
    const change = decideWithParent(paused, runOf(), settings, now);
    expect(decideWithParent(workflow, changed(runOf(), change), settings, now)).toMatchObject({
      state: 'READY',
      pausedWithParent: false,
    });
    const asked = changed(running, decideWithParent(paused, running, settings, now));
    expect(decideWithParent(workflow, asked, settings, now)).toMatchObject({ state: 'RUNNING', suspension: null });
  });

  it('stays paused if somebody paused it before or after', () => {
    const before = runOf({ state: 'PAUSED' });
    expect(decideWithParent(paused, before, settings, now)).toBeUndefined();
    const together = changed(runOf(), decideWithParent(paused, runOf(), settings, now));
    const own = changed(together, decidePause(together, { reason: 'mine' }, NOW_US));
    expect(own).toMatchObject({ state: 'PAUSED', pausedWithParent: false, reason: 'mine' });
    for (const run of [before, own]) expect(decideWithParent(workflow, run, settings, now)).toBeUndefined();
  });

  it('stays asked to stop if somebody asked it, also sooner or later', () => {
    const request = { reason: 'mine', graceMs: 30_000 };
    const before = changed(running, decidePause(running, request, NOW_US));
    expect(decideWithParent(paused, before, settings, now)).toBeUndefined();
    const sooner = changed(before, decideWithParent(hasten, before, settings, now));
    expect(sooner).toMatchObject({ suspension: { untilUs: NOW_US + SECOND_US }, pausedWithParent: false });
    const together = changed(running, decideWithParent(paused, running, settings, now));
    const own = changed(together, decidePause(together, request, NOW_US));
    for (const run of [before, sooner, own]) expect(decideWithParent(workflow, run, settings, now)).toBeUndefined();
  });

  it('keeps the mark of its workflow until it is paused', () => {
    const asked = changed(running, decideWithParent(paused, running, settings, now));
    const change = decideDue({ ...asked, dueTimeUs: NOW_US + 30 * SECOND_US }, retryPolicy, {
      ...now,
      nowUs: NOW_US + 31 * SECOND_US,
    });
    expect(change).toMatchObject({ state: 'PAUSED', pausedWithParent: true, suspension: null });
  });
});
