/** Times behind more excluded ones than one scan covers: found in time, each once, with bounded work per scan. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSchedule, type ScheduleStatus } from '../../../server/domain/schedules/decide-schedule.ts';
import { type CalendarRule, NominalTimes, type ScheduleTimes } from '../../../server/domain/schedules/nominal-times.ts';
import type { ScheduleRules } from '../../../server/domain/schedules/schedule.ts';

const MINUTE_US = 60_000_000;
const DAY_US = 1_440 * MINUTE_US;
const NOON_US = Date.UTC(2026, 10, 26, 12) * 1_000;
const anything: CalendarRule = { minute: '', hour: '', dayOfMonth: '', month: '', dayOfWeek: '', year: '' };

/** Each minute except those of the rules, each of which is evaluated minute by minute. */
function everyMinuteBut(...rules: readonly Partial<CalendarRule>[]): ScheduleTimes {
  const halves = rules.flatMap((rule) => ['0-29', '30-59'].map((minute) => ({ ...anything, ...rule, minute })));
  return { crons: ['* * * * *'], intervals: [], calendars: [], exclusions: halves, timeZone: 'UTC' };
}

function statusOf(times: ScheduleTimes, changes: Partial<ScheduleRules> = {}): ScheduleStatus {
  const policies = { overlap: 'ALLOW_ALL', catchUp: 'ALL', catchUpWindowMs: 10 * 86_400_000 } as const;
  const rules = { times, jitterMs: 0, pauseOnFailure: false, ...policies, ...changes };
  const nothing = { buffered: [], asked: [], open: 0, paused: false, runsLeft: undefined };
  return { rules, seed: 'seed', decidedUntilUs: NOON_US, ...nothing };
}

interface Followed {
  readonly starts: readonly { readonly nominalUs: number; readonly atUs: number }[];
  readonly scans: number;
  /** Scans after which the next time was not known. */
  readonly unknown: number;
}

/** Scans at the requested times, or later by up to `late`. */
function follow(given: ScheduleStatus, untilUs: number, late: (scan: number) => number = () => 0): Followed {
  const times = new NominalTimes(given.rules.times);
  const starts: { nominalUs: number; atUs: number }[] = [];
  let status = given;
  let scans = 0;
  let unknown = 0;
  for (let nowUs: number | undefined = NOON_US + 1; nowUs !== undefined && nowUs < untilUs; scans++) {
    const atUs: number = nowUs + late(scans);
    const { runs, decidedUntilUs, nextUs, nextScanUs } = decideSchedule(status, times, atUs);
    for (const run of runs) expect(run.state).toBe('STARTING');
    starts.push(...runs.map(({ nominalUs }) => ({ nominalUs, atUs })));
    expect(decidedUntilUs).toBeGreaterThanOrEqual(status.decidedUntilUs);
    status = { ...status, decidedUntilUs };
    if (nextUs === undefined) unknown++;
    nowUs = nextScanUs;
  }
  return { starts, scans, unknown };
}

/** The expected times, by a check of each minute. */
function minutes(afterUs: number, untilUs: number, isOut: (wall: Date) => boolean): number[] {
  const found = [];
  for (let us = afterUs + MINUTE_US; us < untilUs; us += MINUTE_US) if (!isOut(new Date(us / 1_000))) found.push(us);
  return found;
}

describe('a schedule whose next time is behind more excluded ones than one scan covers', () => {
  it('is distinguished from one without further times', () => {
    const times = new NominalTimes(everyMinuteBut({ hour: '0-22' }));
    const { timeUs, searchedUntilUs } = times.after(NOON_US + 12 * 60 * MINUTE_US - MINUTE_US);
    expect(timeUs).toBeUndefined();
    expect(searchedUntilUs).toBeGreaterThan(NOON_US + DAY_US);
    expect(times.after(searchedUntilUs as number).timeUs).toBe(NOON_US + DAY_US + 11 * 60 * MINUTE_US);
    const over = new NominalTimes({ ...everyMinuteBut({ hour: '0-22' }), endUs: NOON_US + DAY_US });
    expect(over.after(NOON_US + 12 * 60 * MINUTE_US)).toEqual({ searched: expect.any(Number) });
  });

  it('continues day after day', () => {
    const untilUs = NOON_US + 3 * DAY_US;
    const { starts, scans, unknown } = follow(statusOf(everyMinuteBut({ hour: '0-22' })), untilUs);
    expect(starts.map(({ nominalUs }) => nominalUs)).toEqual(
      minutes(NOON_US, untilUs, (wall) => wall.getUTCHours() < 23),
    );
    for (const { nominalUs, atUs } of starts) expect(atUs).toBe(nominalUs);
    // One per time, and one more per day to find the next.
    expect(unknown).toBeGreaterThanOrEqual(2);
    expect(scans).toBeLessThanOrEqual(starts.length + 4);
  });

  it('starts only the last missed time on both sides of the excluded ones when its policy says so', () => {
    const rules = everyMinuteBut({ hour: '0-22' });
    const times = new NominalTimes(rules);
    const nowUs = NOON_US + 2 * DAY_US + 690 * MINUTE_US;
    let status = statusOf(rules, { catchUp: 'LATEST' });
    const starts: number[] = [];
    for (let isBehind = true; isBehind; ) {
      const decision = decideSchedule(status, times, nowUs);
      starts.push(...decision.runs.filter(({ state }) => state === 'STARTING').map(({ nominalUs }) => nominalUs));
      status = { ...status, decidedUntilUs: decision.decidedUntilUs };
      isBehind = decision.isBehind;
    }
    expect(starts).toEqual([nowUs]);
  });

  it('has each of its times once, at its time, whatever is excluded and however late it is scanned', () => {
    const hours = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 23 }));
    const day = fc.integer({ min: 25, max: 31 });
    const jitters = fc.constantFrom(0, 45_000, 86_400_000);
    const lates = fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(hours, day, jitters, lates, ([a, b], first, jitterMs, late) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const given = everyMinuteBut({ hour: `${from}-${to}` }, { dayOfMonth: `${first}-31` });
        const status = statusOf({ ...given, crons: ['*/10 * * * *', '5 12 * * *'] }, { jitterMs });
        const untilUs = NOON_US + 6 * DAY_US;
        const { starts } = follow(status, untilUs, (scan) => late[scan % late.length] as number);
        const expected = minutes(NOON_US, untilUs, (wall) => {
          const [hour, minute] = [wall.getUTCHours(), wall.getUTCMinutes()];
          const isOwn = minute % 10 === 0 || (hour === 12 && minute === 5);
          return !isOwn || (hour >= from && hour <= to) || wall.getUTCDate() >= first;
        });
        const found = starts.map(({ nominalUs }) => nominalUs);
        // The last one may not have started yet.
        expect(found).toEqual(expected.slice(0, Math.max(found.length, expected.length - 1)));
        for (const { nominalUs, atUs } of starts) expect(atUs).toBeGreaterThanOrEqual(nominalUs);
      }),
      { numRuns: 6 },
    );
  });

  it('is scanned less and less often while no time is found', () => {
    const never = statusOf(everyMinuteBut({}));
    const { starts, scans } = follow(never, NOON_US + DAY_US);
    expect(starts).toEqual([]);
    expect(scans).toBeLessThan(60);
  });

  it('catches up on times on both sides of the excluded ones, each once', () => {
    const times = new NominalTimes(everyMinuteBut({ hour: '0-22' }));
    let status = { ...statusOf(everyMinuteBut({ hour: '0-22' })) };
    const nowUs = NOON_US + 3 * DAY_US;
    const found: number[] = [];
    let scans = 0;
    for (let nextScanUs: number | undefined = nowUs; nextScanUs !== undefined && nextScanUs <= nowUs; scans++) {
      const decision = decideSchedule(status, times, nowUs);
      found.push(...decision.runs.map(({ nominalUs }) => nominalUs));
      status = { ...status, decidedUntilUs: decision.decidedUntilUs };
      ({ nextScanUs } = decision);
      expect(decision.isBehind).toBe(nextScanUs !== undefined && nextScanUs <= nowUs);
    }
    expect(found).toEqual(minutes(NOON_US, nowUs + 1, (wall) => wall.getUTCHours() < 23));
    expect(scans).toBeLessThan(10);
  });
});
