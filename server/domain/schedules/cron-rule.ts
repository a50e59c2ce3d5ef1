/** Next times of a cron pattern in a time zone. */
import { Cron, type CronOptions } from 'croner';
import { zoneClock } from './zone-clock.ts';

/** Returns the rule's next time after the given one. Times are microseconds since 1970. */
export type Rule = (afterUs: number) => number | undefined;

export type ZoneOptions = CronOptions & { readonly timezone: string };

type Next = (afterMs: number) => number | undefined;

const DAY_MS = 86_400_000;

export function zoneOptions(timezone: string): ZoneOptions {
  return { timezone, fixedTimeRule: 'no-wildcard' };
}

/** `clockFields`: the pattern's minute and hour. */
export function cronRule(pattern: string, options: ZoneOptions, clockFields: string): Rule {
  const cron = nextOf(pattern, options);
  // Only a time of day that is written out counts when the clock skips it.
  const next = /[*/]/.test(clockFields) ? cron : withLostTimes(cron, pattern, options);
  return (afterUs) => {
    const nextMs = next(Math.floor(afterUs / 1_000));
    return nextMs === undefined ? undefined : nextMs * 1_000;
  };
}

function nextOf(pattern: string, options: CronOptions): Next {
  const cron = new Cron(pattern, options);
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
}

/**
 * Croner loses a time of day in a gap that ends on the next day: its day is over when the gap is. Such a time counts as
 * the first moment after the gap. It is found by the wall clock, as if that were UTC: there no time is skipped.
 */
function withLostTimes(cron: Next, pattern: string, options: ZoneOptions): Next {
  const onWall = nextOf(pattern, { ...options, timezone: 'UTC' });
  const clock = zoneClock(options.timezone);
  return (afterMs) => {
    const nextMs = cron(afterMs);
    const endMs = nextMs === undefined ? Number.POSITIVE_INFINITY : clock.wallAt(nextMs);
    for (let wallMs = onWall(clock.wallAt(afterMs)); wallMs !== undefined && wallMs < endMs; wallMs = onWall(wallMs)) {
      const gap = clock.gapAround(wallMs);
      if (!gap || gap.endMs <= afterMs || !isLost(wallMs, gap)) continue;
      return Math.min(gap.endMs, nextMs ?? gap.endMs);
    }
    return nextMs;
  };
}

/** Whether the gap takes the rest of the day of this time, and not all of it: a day that does not exist has no times. */
function isLost(wallMs: number, gap: { readonly fromWallMs: number; readonly toWallMs: number }): boolean {
  const dayMs = Math.floor(wallMs / DAY_MS) * DAY_MS;
  return gap.fromWallMs > dayMs && gap.toWallMs >= dayMs + DAY_MS;
}
