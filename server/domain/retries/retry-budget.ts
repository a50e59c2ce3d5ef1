/** Retry budgets: how many jobs of a definition may be tried again in a minute, and when the others are looked at next. */
import type { Change, Continue, OpenRun } from '../jobs/run.ts';
import { earliest } from '../jobs/time-limits.ts';
import type { BudgetOf, RetryBudget } from './retry-policy.ts';

/** What has happened in a minute, or is put off until then. */
export interface MinuteCounts {
  /** Since 1970, by the database's clock. */
  readonly minute: number;
  /** Jobs that were submitted to start in it. */
  readonly firstAttempts: number;
  readonly retries: number;
  readonly waiting: number;
}

export const MINUTE_US = 60_000_000;
/** Minutes ahead that a retry is put off at the most: then it is looked at again. */
export const MAX_MINUTES_AHEAD = 60;

export function minuteOf(us: number): number {
  return Math.floor(us / MINUTE_US);
}

/** Whether this is a further attempt: one that was only released has started nothing. */
export function isRetry({ attemptsCounted, totalLosses }: Pick<OpenRun, 'attemptsCounted' | 'totalLosses'>): boolean {
  return attemptsCounted > 0 || totalLosses > 0;
}

/** Retries that may begin in a minute, by the first attempts of that one or the one before, whichever are more. */
export function allowedIn({ ratio, minPerMinute }: RetryBudget, firstAttempts: number, before: number): number {
  // A little more, since 0.29 of 100 is 28.999 to a computer.
  return Math.max(minPerMinute, Math.floor(ratio * Math.max(firstAttempts, before) + 1e-9));
}

export interface Grants {
  /** For each that asked, in order: undefined when it may begin now, else the minute in which to ask again. */
  readonly minutes: readonly (number | undefined)[];
  /** What to add to the counts. */
  readonly spent: readonly MinuteCounts[];
}

/**
 * Grants retries in the order in which they ask. The others line up: each is put off until the first minute for which no
 * more wait than may begin in this one. That is a guess, made so that each is looked at a few times, not each minute; what
 * may begin is decided in the minute itself.
 */
export function grantRetries(counts: readonly MinuteCounts[], asking: readonly RetryBudget[], minute: number): Grants {
  const known = new Map(counts.map((one) => [one.minute, one]));
  const at = (which: number) => known.get(which) ?? { minute: which, firstAttempts: 0, retries: 0, waiting: 0 };
  const spent = new Map<number, MinuteCounts>();
  const spend = (which: number, kind: 'retries' | 'waiting') => {
    const more = spent.get(which) ?? { minute: which, firstAttempts: 0, retries: 0, waiting: 0 };
    spent.set(which, { ...more, [kind]: more[kind] + 1 });
    known.set(which, { ...at(which), [kind]: at(which)[kind] + 1 });
  };
  let free = minute + 1;
  const minutes = asking.map((budget) => {
    const allowed = allowedIn(budget, at(minute).firstAttempts, at(minute - 1).firstAttempts);
    if (at(minute).retries < allowed) {
      spend(minute, 'retries');
      return undefined;
    }
    while (free < minute + MAX_MINUTES_AHEAD && at(free).waiting >= allowed) free++;
    spend(free, 'waiting');
    return free;
  });
  return { minutes, spent: [...spent.values()].sort((a, b) => a.minute - b.minute) };
}

const PUT_OFF = 'waits for room in the retry budget of';

/** Whether this is the reason of a job that `putOff` has made wait. */
export function isPutOff(reason: string): boolean {
  return reason.startsWith(PUT_OFF);
}

/** The job waits on, with its place in the line: its rank stays, and its total timeout goes on. */
export function putOff(change: Continue, minute: number): Continue {
  const { retryBudget: budget, run } = change;
  return {
    ...change,
    state: 'SCHEDULED',
    dueTimeUs: earliest(minute * MINUTE_US, run.limits.deadlineUs),
    reason: `${PUT_OFF} ${budget?.definition}: this minute's retries are used up`,
  };
}

/** Those of the changes that ask for a retry. */
export function asksForRetry(change: Change): change is Continue & { readonly retryBudget: BudgetOf } {
  return change.kind === 'continue' && change.retryBudget !== undefined;
}
