/** Pauses, resumes and updates of jobs in typical cases. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { rankOf } from '../../../server/domain/dispatch/rank.ts';
import { decideDue } from '../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideResume, decideUpdate } from '../../../server/domain/jobs/pause.ts';
import { NOW_US, runOf } from './support/waiting-job.ts';

const HOUR_US = 3_600_000_000;
const now = { nowUs: NOW_US, random: 0.5 };
const later = { nowUs: NOW_US + 2 * HOUR_US, random: 0.5 };

const scheduled = runOf({ state: 'SCHEDULED', dueTimeUs: NOW_US + HOUR_US, rank: NOW_US + HOUR_US });
const expiring = { expireTimeUs: NOW_US + HOUR_US };

describe('decidePause', () => {
  it('keeps the run time of a scheduled job, and makes its expiry due', () => {
    expect(
      decidePause(runOf({ ...scheduled, expireTimeUs: NOW_US + 2 * HOUR_US }), { reason: 'maintenance' }, NOW_US),
    ).toMatchObject({
      event: 'pause',
      state: 'PAUSED',
      runTimeUs: NOW_US + HOUR_US,
      dueTimeUs: NOW_US + 2 * HOUR_US,
      reason: 'maintenance',
    });
  });

  it('keeps the rank, so that a resumed job keeps its waiting time', () => {
    const run = runOf();
    expect(decidePause(run, { reason: '' }, NOW_US)).toMatchObject({
      rank: run.rank,
      runTimeUs: null,
      dueTimeUs: null,
    });
  });

  it('keeps no expiry after an attempt', () => {
    expect(
      decidePause(runOf({ ...scheduled, ...expiring, attempt: 1, attemptCount: 1 }), { reason: '' }, NOW_US),
    ).toMatchObject({
      dueTimeUs: null,
    });
  });

  it('does nothing to a paused job, and refuses a leased one', () => {
    expect(decidePause(runOf({ state: 'PAUSED' }), { reason: '' }, NOW_US)).toBeUndefined();
    for (const state of ['ASSIGNED', 'RUNNING', 'CANCELLING', 'WAITING'] as const)
      expect(decidePause(runOf({ state }), { reason: '' }, NOW_US)).toBe('NOT_WAITING');
  });

  it('leaves a job able to expire', () => {
    const run = runOf({ state: 'PAUSED', ...expiring, dueTimeUs: NOW_US + HOUR_US });
    const { retryPolicy } = definitionDefaults;
    expect(decideDue(run, retryPolicy, now)).toBeUndefined();
    expect(decideDue(run, retryPolicy, later)).toMatchObject({ event: 'expire', state: 'EXPIRED' });
  });
});

describe('decideResume', () => {
  it('schedules the job at its kept run time, or makes it READY when that has passed', () => {
    const paused = runOf({ ...scheduled, state: 'PAUSED', runTimeUs: NOW_US + HOUR_US, dueTimeUs: null, reason: 'x' });
    expect(decideResume(paused, now)).toMatchObject({
      state: 'SCHEDULED',
      dueTimeUs: NOW_US + HOUR_US,
      reason: null,
      rank: scheduled.rank,
    });
    expect(decideResume(paused, later)).toMatchObject({ state: 'READY', dueTimeUs: null });
  });

  it('makes the next attempt possible at once when the job had attempts and no kept run time', () => {
    const failed = runOf({ state: 'PAUSED', attempt: 2, attemptCount: 2, ...expiring });
    expect(decideResume(failed, later)).toMatchObject({ state: 'READY', dueTimeUs: null, attemptCount: 2 });
  });

  it('expires a job whose expiry has passed, since a READY job might still be started', () => {
    expect(decideResume(runOf({ state: 'PAUSED', ...expiring }), later)).toMatchObject({ state: 'EXPIRED' });
  });

  it('does nothing to a job that is not paused', () => {
    for (const state of ['READY', 'SCHEDULED', 'RUNNING'] as const)
      expect(decideResume(runOf({ state }), now)).toBeUndefined();
  });
});

describe('decideUpdate', () => {
  it('clears the reason for waiting when the update sets a run time, and keeps it otherwise', () => {
    const reason = 'waits for room in the retry budget of mail';
    const waiting = runOf({ state: 'SCHEDULED', dueTimeUs: NOW_US + HOUR_US, reason });
    expect(decideUpdate(waiting, { runTimeUs: NOW_US + 1 }, now)).toMatchObject({ state: 'SCHEDULED', reason: null });
    expect(decideUpdate(waiting, { priority: 7 }, now)).toMatchObject({ state: 'SCHEDULED', reason });
    const paused = runOf({ state: 'PAUSED', reason: 'paused on request' });
    expect(decideUpdate(paused, { runTimeUs: NOW_US + 1 }, now)).toMatchObject({ reason: 'paused on request' });
  });

  it('moves a ready job by its priority, from its current position', () => {
    const change = decideUpdate(runOf({ priority: 2, rank: NOW_US - 7_000_000 }), { priority: 10 }, now);
    expect(change).toMatchObject({
      event: 'update',
      state: 'READY',
      rank: rankOf(NOW_US - 5_000_000, 10),
      record: { priority: 10, runTimeUs: null, expireTimeUs: null },
    });
  });

  it('puts a ready job off, and makes a job READY whose new run time has passed', () => {
    expect(decideUpdate(runOf(), { runTimeUs: NOW_US + HOUR_US }, now)).toMatchObject({
      state: 'SCHEDULED',
      dueTimeUs: NOW_US + HOUR_US,
      rank: NOW_US + HOUR_US,
    });
    expect(decideUpdate(scheduled, { runTimeUs: NOW_US - 1 }, now)).toMatchObject({ state: 'READY', rank: NOW_US });
  });

  it('gives a job no queue position from before its creation', () => {
    const run = runOf();
    expect(decideUpdate(run, { runTimeUs: NOW_US - HOUR_US }, now)).toMatchObject({ state: 'READY', rank: run.rank });
  });

  it('keeps the fair turn of a ready job whose rank is ahead of its time', () => {
    const rank = NOW_US + 500_000_000;
    for (const state of ['READY', 'PAUSED', 'BLOCKED'] as const) {
      const run = runOf({ state, fairnessKey: 'a', rank });
      expect(decideUpdate(run, { expireTimeUs: NOW_US + 4 * HOUR_US }, now)).toMatchObject({ state, rank });
      expect(decideUpdate(run, { runTimeUs: NOW_US - 1 }, now)).toMatchObject({ state, rank, runTimeUs: null });
      expect(decideUpdate(run, { priority: 3 }, now)).toMatchObject({ state, rank: rank - 3_000_000 });
    }
    const later = { runTimeUs: NOW_US + HOUR_US };
    expect(decideUpdate(runOf({ fairnessKey: 'a', rank }), later, now)).toMatchObject({ rank: NOW_US + HOUR_US });
  });

  it('moves a job no further than its priority allows when its expiry had moved it ahead', () => {
    const capped = NOW_US + 5_000_000;
    const run = runOf({ priority: -50, rank: capped, expireTimeUs: capped });
    expect(decideUpdate(run, { priority: -10 }, now)).toMatchObject({ rank: capped });
    expect(decideUpdate(run, { priority: 0 }, now)).toMatchObject({ rank: run.createTimeUs });
    expect(decideUpdate(run, { expireTimeUs: NOW_US + HOUR_US }, now)).toMatchObject({
      rank: rankOf(run.createTimeUs, -50),
    });
  });

  it('keeps a paused job paused, and stores the run time for later', () => {
    const paused = runOf({ state: 'PAUSED' });
    expect(decideUpdate(paused, { runTimeUs: NOW_US + HOUR_US }, now)).toMatchObject({
      state: 'PAUSED',
      runTimeUs: NOW_US + HOUR_US,
    });
    expect(decideUpdate({ ...paused, runTimeUs: NOW_US + HOUR_US }, { runTimeUs: NOW_US }, now)).toMatchObject({
      state: 'PAUSED',
      runTimeUs: null,
    });
  });

  it('makes a new expiry due, and moves the job ahead of it', () => {
    const expireTimeUs = NOW_US + 1_000_000;
    expect(decideUpdate(runOf({ priority: -50, rank: NOW_US + 50_000_000 }), { expireTimeUs }, now)).toMatchObject({
      dueTimeUs: expireTimeUs,
      rank: expireTimeUs,
    });
  });

  it('refuses an expiry in the past, a start after the expiry, and a leased job', () => {
    expect(decideUpdate(runOf(), { expireTimeUs: NOW_US }, now)).toBe('EXPIRY_PASSED');
    expect(decideUpdate(runOf(expiring), { runTimeUs: NOW_US + HOUR_US + 1 }, now)).toBe('RUN_TIME_AFTER_EXPIRY');
    expect(decideUpdate(scheduled, { expireTimeUs: NOW_US + 1 }, now)).toBe('RUN_TIME_AFTER_EXPIRY');
    expect(decideUpdate(runOf({ state: 'ASSIGNED' }), { priority: 1 }, now)).toBe('NOT_WAITING');
  });

  it('may put a job off beyond an expiry that no longer applies', () => {
    const tried = runOf({ ...expiring, attempt: 1, attemptCount: 1 });
    expect(decideUpdate(tried, { runTimeUs: NOW_US + 2 * HOUR_US }, now)).toMatchObject({ state: 'SCHEDULED' });
  });
});
