import { describe, expect, it } from 'vitest';
import {
  type Backlog,
  type BacklogBounds,
  drainRate,
  firstOverrun,
  overrunOf,
  retryAfterMs,
} from '../../../server/domain/queues/backlog.ts';

const hundred: BacklogBounds = { maxBacklog: 100, maxBacklogAgeMs: null };
const minute: BacklogBounds = { maxBacklog: 0, maxBacklogAgeMs: 60_000 };
const one: BacklogBounds = { maxBacklog: 1, maxBacklogAgeMs: null };
const jobs = (waiting: number): Backlog => ({ waiting, ageMs: 0 });
const aged = (seconds: number, waiting = 10): Backlog => ({ waiting, ageMs: seconds * 1_000 });

/** For priorities -1, 0 and 1: how many jobs must leave first, or - when the job is accepted. */
const table: readonly (readonly [string, BacklogBounds, Backlog, string])[] = [
  ['an empty queue', hundred, jobs(0), '- - -'],
  ['just below 80 %', hundred, jobs(79), '- - -'],
  ['80 %: the lowest priorities are refused', hundred, jobs(80), '1 - -'],
  ['just below the bound', hundred, jobs(99), '20 - -'],
  ['the bound', hundred, jobs(100), '21 1 -'],
  ['just below 120 %', hundred, jobs(119), '40 20 -'],
  ['120 %: every job is refused', hundred, jobs(120), '41 21 1'],
  ['a bound of one job, none waits', one, jobs(0), '- - -'],
  ['a bound of one job, one waits', one, jobs(1), '1 1 -'],
  ['a bound of one job, two wait', one, jobs(2), '2 2 1'],
  ['no bound at all', { maxBacklog: 0, maxBacklogAgeMs: null }, aged(1e6, 1e9), '- - -'],
  ['young enough', minute, aged(47.9), '- - -'],
  ['80 % of the age', minute, aged(48), '1 - -'],
  ['the age', minute, aged(60), '2 1 -'],
  ['120 % of the age', minute, aged(72), '4 2 1'],
  ['twice the age: half of the waiting jobs is too old', minute, aged(120), '6 5 4'],
  ['both exceeded, of which the count is named', { ...minute, maxBacklog: 5 }, aged(61), '7 6 5'],
];

describe('the bounds of a queue', () => {
  it.each(table)('decide in the case "%s"', (_what, bounds, backlog, expected) => {
    const found = [-1, 0, 1].map((priority) => overrunOf(bounds, backlog, priority)?.excess ?? '-');
    expect(found.join(' ')).toBe(expected);
  });

  it('name the bound that is exceeded, the count before the age', () => {
    expect(overrunOf(minute, aged(60), 0)?.bound).toBe('max_backlog_age');
    expect(overrunOf({ ...minute, maxBacklog: 5 }, aged(60), 0)?.bound).toBe('max_backlog');
  });

  it('are the same for all priorities of one sign', () => {
    for (const [low, high] of [
      [-100, -1],
      [1, 100],
    ] as const)
      expect(overrunOf(hundred, jobs(100), low)).toEqual(overrunOf(hundred, jobs(100), high));
  });

  it('apply to each job of a call after those before it, and a scheduled job takes no capacity', () => {
    const ready = { priority: 0, isReady: true };
    const later = { priority: 0, isReady: false };
    expect(firstOverrun(hundred, jobs(98), [ready, ready])).toBeUndefined();
    expect(firstOverrun(hundred, jobs(98), [ready, later, ready, later])).toMatchObject({ jobIndex: 3, ahead: 2 });
    expect(firstOverrun(hundred, jobs(98), [later, later, later])).toBeUndefined();
    expect(firstOverrun(hundred, jobs(100), [{ priority: 1, isReady: true }, later])).toMatchObject({ jobIndex: 1 });
  });
});

describe('the retry delay', () => {
  it.each([
    ['the rate is not known yet', 10, undefined, 1_000],
    ['nothing leaves', 10, 0, 60_000],
    ['two jobs a second leave', 10, 2, 5_000],
    ['it would be at once', 1, 1_000, 1_000],
    ['it would be in an hour', 36_000, 10, 60_000],
  ])('is computed in the case "%s"', (_what, excess, rate, expected) => {
    expect(retryAfterMs(excess, rate)).toBe(expected);
  });

  it('follows recent departures, and forgets older ones within half a minute', () => {
    let rate = drainRate(undefined, 1_000, 10_000);
    expect(rate).toBe(100);
    for (let second = 0; second < 30; second++) rate = drainRate(rate, 10, 1_000);
    expect(rate).toBeGreaterThan(10);
    expect(rate).toBeLessThan(15);
    expect(drainRate(rate, -50, 1_000)).toBeLessThan(rate);
  });
});
