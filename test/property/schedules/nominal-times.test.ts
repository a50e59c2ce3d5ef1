/** The times of schedules against an oracle that walks minute by minute, around clock changes and over whole years. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkCron } from '../../../server/domain/schedules/cron.ts';
import {
  type CalendarRule,
  NominalTimes,
  type ScheduleTimes,
  timesProblems,
} from '../../../server/domain/schedules/nominal-times.ts';
import { cronOracle, jumpsOf, wallOf } from '../../support/base/clock-oracle.ts';
import { coreOf } from '../../support/run/cases.ts';

const DAY = 86_400_000;

/** Each zone with the year of the walk. The core walks the first three. */
const zones: readonly (readonly [string, number])[] = [
  ['America/New_York', 2026],
  ['Australia/Lord_Howe', 2026],
  ['Pacific/Apia', 2011],
  ['Europe/Vienna', 2026],
  ['America/Santiago', 2026],
  ['Africa/Casablanca', 2026],
  ['Asia/Kathmandu', 2026],
  ['America/St_Johns', 2026],
  ['Europe/Dublin', 2026],
  ['Antarctica/Troll', 2026],
  // Gaps that end at midnight.
  ['America/Nuuk', 2027],
  ['Asia/Pyongyang', 2018],
];

const nothing: ScheduleTimes = { crons: [], intervals: [], calendars: [], exclusions: [], timeZone: 'UTC' };
const everything: CalendarRule = { minute: '', hour: '', dayOfMonth: '', month: '', dayOfWeek: '', year: '' };

function timesIn(times: Partial<ScheduleTimes>, fromMs: number, toMs: number): number[] {
  const given = { ...nothing, ...times };
  expect(timesProblems(given)).toEqual([]);
  const nominal = new NominalTimes(given);
  const found: number[] = [];
  for (let us = fromMs * 1_000 - 1; ; ) {
    const { timeUs, searchedUntilUs = Number.POSITIVE_INFINITY } = nominal.after(us);
    if ((timeUs ?? searchedUntilUs) >= toMs * 1_000) break;
    us = timeUs ?? searchedUntilUs;
    if (timeUs !== undefined) found.push(timeUs / 1_000);
  }
  return found;
}

const shown = (times: readonly number[]) => times.map((ms) => new Date(ms).toISOString());

function field(min: number, max: number): fc.Arbitrary<string> {
  const value = fc.integer({ min, max });
  const ends = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const range = ends.map(([from, to]) => `${from}-${to}`);
  const step = fc.integer({ min: 2, max: max - min }).map((every) => `*/${every}`);
  // A step is at most as long as its range.
  const stepped = fc
    .tuple(ends, fc.nat())
    .map(([[from, to], any]) => (to - from < 2 ? `${from}` : `${from}-${to}/${2 + (any % (to - from - 1))}`));
  const list = fc
    .uniqueArray(fc.oneof(value.map(String), range, stepped), { minLength: 1, maxLength: 3 })
    .map((one) => one.join(','));
  return fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, step, { weight: 3, arbitrary: list });
}

/** An hour, more often one around which clocks change. */
const hour = fc.oneof(field(0, 23), fc.constantFrom('0', '1', '2', '3', '0-3', '1,2', '23', '*/2'));
const crons = fc
  .tuple(
    field(0, 59),
    hour,
    fc.oneof(fc.constant('*'), field(1, 31)),
    fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: field(1, 12) }),
    fc.oneof(fc.constant('*'), field(0, 6)),
  )
  .map((fields) => fields.join(' '));

/** Matches at most a few hundred times a year, because the test walks through a year. */
const yearlong = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 59 }).map(String), fc.constantFrom('*/30', '10-50/20', '7,59')),
    fc.oneof(fc.integer({ min: 0, max: 4 }).map(String), fc.constantFrom('*/12', '1-9/4', '0,2,23', '2-3')),
    fc.oneof(fc.constant('*'), field(1, 31)),
    fc.oneof({ weight: 1, arbitrary: fc.constant('*') }, { weight: 3, arbitrary: field(1, 12) }),
    fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: field(0, 6) }),
  )
  .map((fields) => fields.join(' '));

describe.each(coreOf(zones, 3))('a schedule in %s, %i', (timeZone, year) => {
  const [from, to] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  const wall = wallOf(timeZone, from - 3 * DAY, to + DAY);

  it.each(['30 2 * * *', '0 0 * * *', '15 1,3 * * 0,6', '0 12 29 * 1', '59 23 31 * *', '45 */12 * * *', '30 23 * * *'])(
    'with %s has the times of the wall clock over the year',
    (cron) => {
      const expected = cronOracle(cron, wall, from, to);
      expect(expected.length).toBeGreaterThan(5);
      expect(shown(timesIn({ crons: [cron], timeZone }, from, to))).toEqual(shown(expected));
    },
  );

  it('with a few months, days, lists or steps has the times of the wall clock over the year', () => {
    fc.assert(
      fc.property(yearlong, (cron) => {
        expect(shown(timesIn({ crons: [cron], timeZone }, from, to))).toEqual(shown(cronOracle(cron, wall, from, to)));
      }),
      { numRuns: 4 },
    );
  });

  it('with any expression has the times of the wall clock around each clock change', () => {
    const jumps = jumpsOf(wall);
    if (timeZone !== 'Asia/Kathmandu') expect(jumps.length).toBeGreaterThan(timeZone === 'Asia/Pyongyang' ? 0 : 1);
    const centres = jumps.length > 0 ? jumps : [from + 100 * DAY];
    fc.assert(
      fc.property(crons, fc.constantFrom(...centres), (cron, jump) => {
        const [begin, end] = [jump - DAY / 2, jump + DAY / 2];
        expect(shown(timesIn({ crons: [cron], timeZone }, begin, end))).toEqual(
          shown(cronOracle(cron, wall, begin, end)),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('combined rules of a schedule', () => {
  const from = Date.UTC(2026, 2, 1);
  const day = (offset: number) => from + offset * DAY;
  const rule = (fields: Partial<CalendarRule>): CalendarRule => ({ ...everything, ...fields });

  it('give each time once, in order', () => {
    const either = timesIn(
      { crons: ['0 6,18 * * *', '0 18 * * *'], intervals: [{ everyMs: DAY, offsetMs: 3_600_000 }] },
      from,
      day(2),
    );
    expect(shown(either)).toEqual([
      '2026-03-01T01:00:00.000Z',
      '2026-03-01T06:00:00.000Z',
      '2026-03-01T18:00:00.000Z',
      '2026-03-02T01:00:00.000Z',
      '2026-03-02T06:00:00.000Z',
      '2026-03-02T18:00:00.000Z',
    ]);
  });

  it('with an interval count from 1970 in every zone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 7 * DAY }), fc.nat(DAY), fc.nat(5), (everyMs, offsetMs, step) => {
        const nominal = new NominalTimes({
          ...nothing,
          timeZone: 'America/New_York',
          intervals: [{ everyMs, offsetMs }],
        });
        let us = from * 1_000 + step;
        for (let i = 0; i < 3; i++) {
          const next = nominal.after(us).timeUs as number;
          expect(next).toBeGreaterThan(us);
          expect(next - us).toBeLessThanOrEqual(everyMs * 1_000 + 1_000);
          expect((next / 1_000 - offsetMs) % everyMs).toBe(0);
          us = next;
        }
      }),
    );
  });

  it('of a calendar must all match, and mean midnight when no time of day is given', () => {
    const firstMondays = { calendars: [rule({ dayOfMonth: '1-7', dayOfWeek: 'mon', month: 'mar-apr' })] };
    expect(shown(timesIn(firstMondays, from, day(401)))).toEqual([
      '2026-03-02T00:00:00.000Z',
      '2026-04-06T00:00:00.000Z',
      '2027-03-01T00:00:00.000Z',
      '2027-04-05T00:00:00.000Z',
    ]);
    const once = { calendars: [rule({ year: '2026', month: '3', dayOfMonth: '4', hour: '5', minute: '6' })] };
    expect(shown(timesIn(once, from, day(4_000)))).toEqual(['2026-03-04T05:06:00.000Z']);
  });

  it('leave out exactly the excluded times', () => {
    const fields = fc.record({
      minute: fc.constantFrom('', '0-29', '15'),
      hour: fc.constantFrom('', '9-16', '0'),
      dayOfMonth: fc.constantFrom('', '1-20', '13'),
      month: fc.constantFrom('', '3', 'apr'),
      dayOfWeek: fc.constantFrom('', 'sat-sun', '5'),
      year: fc.constantFrom('', '2026', '2027'),
    });
    fc.assert(
      fc.property(
        fc.array(fields, { maxLength: 2 }),
        fc.constantFrom('Europe/Vienna', 'UTC'),
        (exclusions, timeZone) => {
          const wall = wallOf(timeZone, from - 3 * DAY, day(40));
          const local = (ms: number) => new Date(wall.shown[(ms - wall.fromMs) / 60_000] as number);
          const isOut = (ms: number) => exclusions.some((one) => isExcluded(one, local(ms)));
          const all = timesIn({ crons: ['*/15 */6 * * *'], timeZone }, from, day(35));
          const left = timesIn({ crons: ['*/15 */6 * * *'], timeZone, exclusions }, from, day(35));
          expect(shown(left)).toEqual(shown(all.filter((ms) => !isOut(ms))));
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([
    ['a cron', { crons: ['30 23 27 3 *'] }],
    [
      'a calendar with a range in another spelling',
      { calendars: [rule({ year: '2027', month: '3', dayOfMonth: '27', hour: '23', minute: '0-30/1' })] },
    ],
    ['a calendar of one year', { calendars: [rule({ year: '2027', month: '3', dayOfMonth: '27', hour: '23' })] }],
  ])('of %s run at midnight if the clock jumps there from eleven', (_what, times) => {
    const [first, last] = [Date.UTC(2027, 0, 1), Date.UTC(2027, 11, 31)];
    expect(shown(timesIn({ ...times, timeZone: 'America/Nuuk' }, first, last))).toEqual(['2027-03-28T01:00:00.000Z']);
  });

  it('skip excluded years, and give up when no other time exists', () => {
    const everySecond = { ...nothing, intervals: [{ everyMs: 1_000, offsetMs: 0 }] };
    const some = new NominalTimes({ ...everySecond, exclusions: [rule({ year: '2026-2050' })] });
    expect(some.after(from * 1_000)).toMatchObject({ timeUs: Date.UTC(2051, 0, 1) * 1_000 });
    const none = [{ ...everySecond, exclusions: [everything] }, { ...nothing, crons: ['0 0 30 2 *'] }, nothing];
    for (const one of none) {
      const { timeUs, searchedUntilUs } = new NominalTimes(one).after(from * 1_000);
      expect([timeUs, searchedUntilUs]).toEqual([undefined, undefined]);
    }
  });

  it('find times together as one by one, and report when so many are excluded that there may be more', () => {
    const between = (times: Partial<ScheduleTimes>, toMs: number, limit: number) =>
      new NominalTimes({ ...nothing, ...times }).between(from * 1_000 - 1, toMs * 1_000, limit);
    const quarters = { crons: ['*/15 * * * *'], exclusions: [rule({ minute: '15,45' })] };
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 200 }), (hours, limit) => {
        const to = from + hours * 3_600_000;
        const { times, searchedUntilUs } = between(quarters, to, limit);
        expect(searchedUntilUs).toBeUndefined();
        expect(times).toEqual(
          timesIn(quarters, from, to)
            .slice(0, limit)
            .map((ms) => ms * 1_000),
        );
      }),
    );
    // 60 scanned times per match.
    const seldom = { crons: ['* * * * *'], exclusions: [rule({ minute: '1-59' })] };
    const { times, searchedUntilUs } = between(seldom, day(365), 1_000);
    expect(times).toHaveLength(Math.ceil(5_000 / 60));
    expect(between(seldom, (searchedUntilUs as number) / 1_000, 1_000).times).toEqual(times);
    const [next] = new NominalTimes({ ...nothing, ...seldom }).between(
      searchedUntilUs as number,
      day(365) * 1_000,
      1,
    ).times;
    expect(next).toBe((times.at(-1) as number) + 3_600_000_000);
    expect(between(seldom, day(1), 1_000).searchedUntilUs).toBeUndefined();
    const never = { crons: ['* * * * *'], exclusions: [rule({ minute: '0-29' }), rule({ minute: '30-59' })] };
    expect(between(never, day(9_000), 1)).toEqual({ times: [], searchedUntilUs: expect.any(Number) });
    expect(between({ crons: ['0 0 30 2 *'] }, day(9_000), 1)).toEqual({ times: [] });
  });

  it('stay between their first and their last time', () => {
    const daily = { ...nothing, crons: ['0 0 * * *'], startUs: day(10) * 1_000, endUs: day(12) * 1_000 };
    const nominal = new NominalTimes(daily);
    expect(nominal.after(0)).toMatchObject({ timeUs: day(10) * 1_000 });
    expect(nominal.after(day(10) * 1_000)).toMatchObject({ timeUs: day(11) * 1_000 });
    expect(nominal.after(day(11) * 1_000)).not.toHaveProperty('timeUs');
  });
});

function isExcluded({ minute, hour, dayOfMonth, month, dayOfWeek, year }: CalendarRule, wall: Date): boolean {
  const has = (text: string, value: number) => text === '' || excluded[text]?.includes(value) === true;
  return (
    has(minute, wall.getUTCMinutes()) &&
    has(hour, wall.getUTCHours()) &&
    has(dayOfMonth, wall.getUTCDate()) &&
    has(month, wall.getUTCMonth() + 1) &&
    has(dayOfWeek, wall.getUTCDay()) &&
    has(year, wall.getUTCFullYear())
  );
}

const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** The times that the texts above exclude. */
const excluded: Readonly<Record<string, readonly number[]>> = {
  '0-29': upTo(0, 29),
  '15': [15],
  '9-16': upTo(9, 16),
  '0': [0],
  '1-20': upTo(1, 20),
  '13': [13],
  '3': [3],
  apr: [4],
  'sat-sun': [6, 0],
  '5': [5],
  '2026': [2026],
  '2027': [2027],
};

describe('a cron expression', () => {
  it.each([
    ['  5  4 * * *', '5 4 * * *'],
    ['0 9 * JAN-mar Mon', '0 9 * 1-3 1'],
    ['0 0 * * wed-sun', '0 0 * * 3-7'],
    ['0 0 * * sun', '0 0 * * 0'],
    ['*/1 *,5 * * *', '* * * * *'],
    ['007 0-23/02 * * *', '7 0-23/2 * * *'],
  ])('%s is read as %s', (text, expected) => {
    expect(checkCron(text)).toEqual({ text: expected });
  });

  it.each([
    ['', 'has 0 fields'],
    ['* * * *', 'has 4 fields'],
    ['0 0 0 * * *', 'has 6 fields'],
    ['@daily', 'write "0 0 * * *"'],
    ['60 * * * *', 'has 60 as minute; it must be from 0 to 59'],
    ['* 24 * * *', 'has 24 as hour'],
    ['* * 0 * *', 'has 0 as day of the month'],
    ['* * * 13 *', 'has 13 as month'],
    ['* * * * 8', 'has 8 as day of the week'],
    ['5/15 * * * *', '"5-59/15"'],
    ['*/0 * * * *', 'from 1 to 59'],
    ['*/60 * * * *', 'from 1 to 59'],
    ['1-5/9 * * * *', 'from 1 to 4'],
    ['0 0 * * fri-mon', 'ends before it begins'],
    ['0 0 L * *', 'has "L" as day of the month'],
    ['0 0 * * Xyz', 'has "Xyz" as day of the week'],
    ['0 0 * * 1#2', 'the forms are'],
    ['0 0 ? * *', 'the forms are'],
    ['1,,2 * * * *', 'the forms are'],
    ['-1 * * * *', 'the forms are'],
    ['1.5 * * * *', 'the forms are'],
    ['\u0661 * * * *', 'the forms are'],
    ['0 0 * foo *', 'or a name such as feb'],
    [`${'1,'.repeat(200)}1 * * * *`, 'is 409 characters long'],
  ])('%s is refused: %s', (text, words) => {
    expect(checkCron(text)).toEqual({ problem: expect.stringContaining(words) });
  });

  it('has one meaning when it is accepted and when it is read, whatever the text', () => {
    const piece = fc.constantFrom('*', '/', '-', ',', '0', '1', '5', '9', '30', 'mon', 'jan', '@', 'L', '#', '?');
    const some = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''));
    const fields = fc.array(fc.oneof(fc.constant('*'), some), { minLength: 5, maxLength: 5 });
    const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 6)];
    const wall = wallOf('UTC', from - 3 * DAY, to);
    let accepted = 0;
    fc.assert(
      fc.property(fields, (given) => {
        const checked = checkCron(given.join(' '));
        if ('problem' in checked) return;
        accepted++;
        expect(checkCron(checked.text)).toEqual(checked);
        expect(timesIn({ crons: [checked.text] }, from, to)).toEqual(cronOracle(checked.text, wall, from, to));
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
