/** Spans and times as options. */
import { InvalidArgumentError } from 'commander';
import { spanToMs } from '../../domain/base/quantities.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:\d{2})?$/i;

export function span(text: string): number {
  const ms = spanToMs(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It takes a span such as 500ms, 90s, 15m, 1h30m or 2d.');
}

/** A parser for spans of at most `most`. */
export function spanUpTo(most: string): (text: string) => number {
  const mostMs = span(most);
  return (text) => {
    const ms = span(text);
    if (ms <= mostMs) return ms;
    throw new InvalidArgumentError(`It takes a span of at most ${most}.`);
  };
}

/** A calendar time; it must contain a zone. */
export function time(text: string): Date {
  const date = timeOf(text);
  if (date !== undefined) return date;
  throw new InvalidArgumentError(
    'It takes a time with its zone, such as 2026-05-04T09:30:00Z or 2026-05-04T09:30+02:00.',
  );
}

/** A time, or a span back from now. */
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
  // `Date` rolls an invalid day, such as 31 June, over into the next month; such a typing error is refused.
  const day = Number(text.slice(8, 10));
  const daysInMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return Number.isNaN(date.getTime()) || day < 1 || day > daysInMonth ? undefined : date;
}
