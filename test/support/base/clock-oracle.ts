/**
 * The wall clock of a time zone, minute by minute, and the minutes at which a cron expression matches. Independent of
 * the code under test: it asks `Intl` for offsets and walks one minute at a time.
 */

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const DAY = 86_400_000;

/** Offset of a zone from UTC in ms. For a century, zones have changed only at multiples of a quarter of an hour. */
function offsetsOf(timeZone: string): (ms: number) => number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (ms) => {
    const shown = Object.fromEntries(parts.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(ms / MINUTE) * MINUTE;
  };
}

/** The wall clock for each minute from `fromMs` on, as if it were UTC. */
export interface Wall {
  readonly fromMs: number;
  readonly shown: Float64Array;
}

export function wallOf(timeZone: string, fromMs: number, toMs: number): Wall {
  const offsetOf = offsetsOf(timeZone);
  const shown = new Float64Array((toMs - fromMs) / MINUTE);
  for (let i = 0, offset = 0; i < shown.length; i++) {
    const ms = fromMs + i * MINUTE;
    if (i === 0 || ms % QUARTER === 0) offset = offsetOf(ms);
    shown[i] = ms + offset;
  }
  return { fromMs, shown };
}

/** Times at which the clock jumps, in UTC ms. */
export function jumpsOf({ fromMs, shown }: Wall): number[] {
  const jumps: number[] = [];
  for (let i = 1; i < shown.length; i++)
    if ((shown[i] as number) - (shown[i - 1] as number) !== MINUTE) jumps.push(fromMs + i * MINUTE);
  return jumps;
}

function valuesOf(field: string, min: number, max: number): ReadonlySet<number> {
  const values = new Set<number>();
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/');
    const [first = '', last = first] = range.split('-');
    const [from, to] = range === '*' ? [min, max] : [Number(first), Number(last)];
    for (let value = from; value <= to; value += Number(step)) values.add(value);
  }
  return values;
}

/** Whether a numeric expression matches the wall clock. */
function matcher(cron: string): (local: number) => boolean {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = cron.split(' ');
  const minutes = valuesOf(minute, 0, 59);
  const hours = valuesOf(hour, 0, 23);
  const daysOfMonth = valuesOf(dayOfMonth, 1, 31);
  const months = valuesOf(month, 1, 12);
  const daysOfWeek = new Set([...valuesOf(dayOfWeek, 0, 7)].map((day) => day % 7));
  const isEither = dayOfMonth !== '*' && dayOfWeek !== '*';
  return (local) => {
    const wall = new Date(local);
    if (!minutes.has(wall.getUTCMinutes()) || !hours.has(wall.getUTCHours())) return false;
    if (!months.has(wall.getUTCMonth() + 1)) return false;
    const [byMonth, byWeek] = [daysOfMonth.has(wall.getUTCDate()), daysOfWeek.has(wall.getUTCDay())];
    return isEither ? byMonth || byWeek : byMonth && byWeek;
  };
}

function holdsWithin(matches: (local: number) => boolean, from: number, to: number): boolean {
  for (let local = from; local < to; local += MINUTE) if (matches(local)) return true;
  return false;
}

/**
 * The times in [from, to) at which the expression matches, by the rules of docs/schedules.md, in UTC ms. The wall clock
 * begins two days earlier, because earlier times that it has shown count.
 */
export function cronOracle(cron: string, { fromMs, shown }: Wall, from: number, to: number): number[] {
  const matches = matcher(cron);
  const [minute = '', hour = ''] = cron.split(' ');
  const isWritten = !/[*/]/.test(minute + hour);
  const times: number[] = [];
  let [latest, before] = [Number.NEGATIVE_INFINITY, Number.NaN];
  for (let i = (from - 2 * DAY - fromMs) / MINUTE; i < (to - fromMs) / MINUTE; i++) {
    const local = shown[i] as number;
    const gap = local - (before + MINUTE);
    const isSkipped = isWritten && gap > 0 && gap < DAY && holdsWithin(matches, before + MINUTE, local);
    const isRepeat = isWritten && local <= latest;
    const ms = fromMs + i * MINUTE;
    if (ms >= from && (isSkipped || (!isRepeat && matches(local)))) times.push(ms);
    before = local;
    latest = Math.max(latest, local);
  }
  return times;
}
