/** Spans and times as people write them. */
import { InvalidArgumentError } from 'commander';
import { spanToMs } from '../../domain/base/quantities.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:\d{2})?$/i;

export function span(text: string): number {
  const ms = spanToMs(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It takes a span such as 500ms, 90s, 15m, 1h30m or 2d.');
}

/** A parser for spans that are not longer than `most`. */
export function spanUpTo(most: string): (text: string) => number {
  const mostMs = span(most);
  return (text) => {
    const ms = span(text);
    if (ms <= mostMs) return ms;
    throw new InvalidArgumentError(`It takes a span of at most ${most}.`);
  };
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
