/** Spans and times as people write them. */
import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const SPAN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:\d{2})?$/i;

/** Milliseconds of a span such as `90s`, `1h30m` or `2d`; undefined when the text is none. */
export function spanToMs(text: string): number | undefined {
  if (!SPAN.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g))
    ms += Number(number) * (UNITS[unit ?? ''] ?? 0);
  return ms;
}

export function span(text: string): number {
  const ms = spanToMs(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It takes a span such as 500ms, 90s, 15m, 1h30m or 2d.');
}

/** A time of the calendar; a zone has to be in it. */
export function time(text: string): Date {
  const date = timeOf(text);
  if (date !== undefined) return date;
  throw new InvalidArgumentError(
    'It takes a time with its zone, such as 2026-05-04T09:30:00Z or 2026-05-04T09:30+02:00.',
  );
}

/** A time, or a span that lies so far back. */
export function timeOrAge(text: string): Date {
  const ms = spanToMs(text);
  const date = ms === undefined ? timeOf(text) : new Date(Date.now() - ms);
  if (date !== undefined) return date;
  throw new InvalidArgumentError(
    'It takes a span back from now, such as 2h or 7d, or a time with its zone, such as 2026-05-04T09:30:00Z.',
  );
}

function timeOf(text: string): Date | undefined {
  if (!TIME.test(text) || !/(?:Z|[+-]\d{2}:\d{2})$/i.test(text)) return undefined;
  const date = new Date(text.replace(' ', 'T'));
  // A day that is not in its month rolls over into the next one: that is a slip of the pen, not a date.
  const day = Number(text.slice(8, 10));
  const daysInMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return Number.isNaN(date.getTime()) || day < 1 || day > daysInMonth ? undefined : date;
}
