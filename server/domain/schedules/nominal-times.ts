/**
 * The times of a schedule: the union of cron expressions, intervals and calendar rules, minus its exclusions.
 *
 * Local times follow the clock of the time zone. A fixed time of day that the clock skips counts as the first moment
 * after the gap, once; one that the clock shows twice counts the first time only. With a "*" or a step as minute or
 * hour, skipped times do not occur, and repeated times count twice. A whole day that a zone skips does not occur.
 */
import { Cron } from 'croner';
import { type Checked, type CronField, checkCron, checkField, cronFields } from './cron.ts';
import { cronRule, type Rule, type ZoneOptions, zoneOptions } from './cron-rule.ts';

/** Each value is a field of a cron expression; all of them must match. Empty: see `ScheduleTimes`. */
export type CalendarRule = Readonly<Record<CronField, string>>;

export interface Interval {
  readonly everyMs: number;
  /** From 1970 to one of its times. */
  readonly offsetMs: number;
}

export interface ScheduleTimes {
  readonly crons: readonly string[];
  readonly intervals: readonly Interval[];
  /** An empty minute or hour means 0; any other empty field means every value. */
  readonly calendars: readonly CalendarRule[];
  /** Excluded times. Any empty field means every value, so that a day alone excludes all of it. */
  readonly exclusions: readonly CalendarRule[];
  /** IANA name, such as Europe/Vienna. */
  readonly timeZone: string;
  /** Bounds of the times in µs since 1970; the start is inclusive, the end exclusive. */
  readonly startUs?: number | undefined;
  readonly endUs?: number | undefined;
}

/** A field's path within the times, and the problem there. */
export interface TimesProblem {
  readonly field: string;
  readonly problem: string;
}

/** Maximum times checked, including excluded ones: to find one time, and to list times. */
const MAX_CANDIDATES = 1_000;
export const MAX_CANDIDATES_TOGETHER = 5_000;
const SECOND_US = 1_000_000;
/** End of 2199, the contract's bound; Croner itself counts to the year 3000. */
const END_US = 7_258_118_400_000_000;

const clockFields = ['minute', 'hour'] as const;
const calendarFields: readonly CronField[] = [...cronFields, 'year'];
const snake = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** No UTC offsets, POSIX rules or paths. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]{0,31}(\/[A-Za-z0-9_+-]{1,31}){0,2}$/;

function isZone(timeZone: string): boolean {
  if (!zoneName.test(timeZone)) return false;
  try {
    new Cron('* * * * *', { ...zoneOptions(timeZone), mode: '5-part' }).nextRun(new Date(0));
    return true;
  } catch {
    return false;
  }
}

function textOf(checked: Checked): string {
  if ('problem' in checked) throw new Error(`unchecked: it ${checked.problem}`);
  return checked.text;
}

type Place = 'calendars' | 'exclusions';

function fieldOf(rule: CalendarRule, field: CronField, place: Place): string {
  const isClock = field === 'minute' || field === 'hour';
  return rule[field] || (isClock && place === 'calendars' ? '0' : '*');
}

/** All problems of the rules; empty: `NominalTimes` can be constructed. */
export function timesProblems(times: ScheduleTimes): TimesProblem[] {
  const found: TimesProblem[] = [];
  const add = (field: string, checked: Checked) => {
    if ('problem' in checked) found.push({ field, problem: checked.problem });
  };
  for (const [i, text] of times.crons.entries()) add(`crons[${i}]`, checkCron(text));
  for (const place of ['calendars', 'exclusions'] as const)
    for (const [i, rule] of times[place].entries())
      for (const field of calendarFields)
        add(`${place}[${i}].${snake(field)}`, checkField(fieldOf(rule, field, place), field));
  if (!isZone(times.timeZone))
    found.push({
      field: 'time_zone',
      problem: 'is no time zone of the IANA database; write a name such as "Europe/Vienna" or "UTC"',
    });
  return found;
}

const msOf = (us: number) => Math.floor(us / 1_000);

function intervalRule({ everyMs, offsetMs }: Interval): Rule {
  return (afterUs) => (Math.floor((msOf(afterUs) - offsetMs) / everyMs) + 1) * everyMs * 1_000 + offsetMs * 1_000;
}

function calendarPattern(rule: CalendarRule, place: Place, second: string): string {
  return [second, ...calendarFields.map((field) => textOf(checkField(fieldOf(rule, field, place), field)))].join(' ');
}

const whole: Readonly<Record<CronField, readonly string[]>> = {
  minute: ['*', '0-59'],
  hour: ['*', '0-23'],
  dayOfMonth: ['*', '1-31'],
  month: ['*', '1-12'],
  dayOfWeek: ['*', '0-6', '0-7', '1-7'],
  year: ['*', '1970-2199'],
};

/** Whether a field restricts nothing, in any spelling. */
function isEach(text: string, field: CronField): boolean {
  return whole[field].includes(textOf(checkField(text, field)));
}

/** From the smallest unit that an exclusion distinguishes follow the moments at which it may begin or end. */
const steps: readonly (readonly [CronField, string])[] = [
  ['minute', '* * * * *'],
  ['hour', '0 * * * *'],
  ['dayOfMonth', '0 0 * * *'],
  ['dayOfWeek', '0 0 * * *'],
  ['month', '0 0 1 * *'],
  ['year', '0 0 1 1 *'],
];

interface Exclusion {
  has(us: number): boolean;
  /** The next time at which the result may change. */
  readonly next: Rule;
}

/** Neither field set: there are no more times. */
export interface Found {
  readonly timeUs?: number;
  /** The search stopped after too many excluded times; there is no time up to here. */
  readonly searchedUntilUs?: number;
}

function exclusionOf(rule: CalendarRule, zone: ZoneOptions): Exclusion {
  const cron = new Cron(calendarPattern(rule, 'exclusions', '*'), { ...zone, mode: '7-part', domAndDow: true });
  const step = steps.find(([field]) => !isEach(fieldOf(rule, field, 'exclusions'), field))?.[1];
  return {
    has: (us) => cron.match(new Date(msOf(us))),
    next: step === undefined ? () => undefined : cronRule(step, { ...zone, mode: '5-part' }, '*'),
  };
}

export interface FoundTimes {
  readonly times: number[];
  /** The search stopped after too many excluded times; the list is complete up to here. */
  readonly searchedUntilUs?: number | undefined;
}

interface Search extends Found {
  readonly searched: number;
}

export class NominalTimes {
  readonly #rules: readonly Rule[];
  readonly #exclusions: readonly Exclusion[];
  readonly #startUs: number;
  readonly #endUs: number;

  /** The rules must have no problems. */
  constructor(times: ScheduleTimes) {
    const zone = zoneOptions(times.timeZone);
    this.#rules = [
      ...times.crons.map((text) => {
        const pattern = textOf(checkCron(text));
        return cronRule(pattern, { ...zone, mode: '5-part' }, pattern.split(' ', 2).join());
      }),
      ...times.intervals.map(intervalRule),
      ...times.calendars.map((rule) =>
        cronRule(
          calendarPattern(rule, 'calendars', '0'),
          { ...zone, mode: '7-part', domAndDow: true },
          clockFields.map((field) => textOf(checkField(fieldOf(rule, field, 'calendars'), field))).join(),
        ),
      ),
    ];
    this.#exclusions = times.exclusions.map((rule) => exclusionOf(rule, zone));
    this.#startUs = times.startUs ?? 0;
    this.#endUs = Math.min(times.endUs ?? END_US, END_US);
  }

  /** The first time later than this one, after at most a thousand checks. */
  after(us: number): Found {
    return this.#search(us, END_US, MAX_CANDIDATES);
  }

  /** The times after one and before another, at most `limit`. */
  between(afterUs: number, beforeUs: number, limit: number): FoundTimes {
    const times: number[] = [];
    let candidatesLeft = MAX_CANDIDATES_TOGETHER;
    while (times.length < limit) {
      const { timeUs, searchedUntilUs, searched } = this.#search(times.at(-1) ?? afterUs, beforeUs, candidatesLeft);
      if (timeUs === undefined) return { times, searchedUntilUs };
      times.push(timeUs);
      candidatesLeft -= searched;
    }
    return { times };
  }

  #search(us: number, beforeUs: number, candidatesLeft: number): Search {
    let from = Math.max(us, this.#startUs - 1);
    for (let searched = 1; searched <= candidatesLeft; searched++) {
      const next = this.#next(from);
      if (next === undefined || next >= beforeUs) return { searched };
      const excluded = this.#exclusions.find((one) => one.has(next));
      if (!excluded) return { timeUs: next, searched };
      from = (excluded.next(next) ?? END_US) - SECOND_US;
      // An interval of a second within an excluded minute.
      if (from < next) from = next;
    }
    return { searchedUntilUs: from, searched: candidatesLeft };
  }

  #next(afterUs: number): number | undefined {
    let first: number | undefined;
    for (const rule of this.#rules) {
      const next = rule(afterUs);
      if (next !== undefined && (first === undefined || next < first)) first = next;
    }
    return first !== undefined && first < this.#endUs ? first : undefined;
  }
}
