/** Retry budgets: how many retries of a definition may begin per minute, and when the others are checked again. */
import type { Change, Continue, OpenRun } from '../jobs/run.ts';
import { earliest } from '../jobs/time-limits.ts';
import type { BudgetOf, RetryBudget } from './retry-policy.ts';

/** What happened in a minute, or is put off until then. */
export interface MinuteCounts {
  /** Minutes since 1970, by the database's clock. */
  readonly minute: number;
  /** Jobs that were submitted to start in it. */
  readonly firstAttempts: number;
  readonly retries: number;
  readonly waiting: number;
}

export const MINUTE_US = 60_000_000;
/** Maximum minutes by which a retry is put off before it is checked again. */
export const MAX_MINUTES_AHEAD = 60;

export function minuteOf(us: number): number {
  return Math.floor(us / MINUTE_US);
}

/** Whether this is a further attempt. A released attempt has started nothing and does not count. */
export function isRetry({ attemptCount, totalLosses }: Pick<OpenRun, 'attemptCount' | 'totalLosses'>): boolean {
  return attemptCount > 0 || totalLosses > 0;
}

/**
 * Retries that may begin in a minute, based on the first attempts of this minute or the previous one, whichever are
 * more.
 */
export function allowedIn({ ratio, minPerMinute }: RetryBudget, firstAttempts: number, before: number): number {
  // The epsilon corrects rounding: 0.29 of 100 is 28.999 in doubles.
  return Math.max(minPerMinute, Math.floor(ratio * Math.max(firstAttempts, before) + 1e-9));
}

export interface Grants {
  /** For each request, in order: undefined if it may begin now, else the minute in which to ask again. */
  readonly minutes: readonly (number | undefined)[];
  /** Amounts to add to the counts. */
  readonly spent: readonly MinuteCounts[];
}

/**
 * Grants retries in the order of the requests. The others are put off to the first minute in which fewer wait than may
 * begin in the current one. That is an estimate, so that each retry is checked only a few times, not every minute; the
 * decision is made in the minute itself.
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

/** Whether this is the reason that `putOff` stores. */
export function isPutOff(reason: string): boolean {
  return reason.startsWith(PUT_OFF);
}

/** The job waits on with its rank; its total timeout still applies. */
export function putOff(change: Continue, minute: number): Continue {
  const { retryBudget: budget, run } = change;
  return {
    ...change,
    state: 'SCHEDULED',
    dueTimeUs: earliest(minute * MINUTE_US, run.limits.deadlineUs),
    reason: `${PUT_OFF} ${budget?.definition}: this minute's retries are used up`,
  };
}

/** Whether the change asks for a retry. */
export function asksForRetry(change: Change): change is Continue & { readonly retryBudget: BudgetOf } {
  return change.kind === 'continue' && change.retryBudget !== undefined;
}
