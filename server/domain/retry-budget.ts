/** Retry budgets: how many jobs of a definition may be tried again in a minute, and when the others are looked at next. */

/** What a definition says. */
export interface RetryBudget {
  /** Retries allowed for each first attempt. */
  readonly ratio: number;
  /** Retries that are always allowed in a minute. */
  readonly minPerMinute: number;
}
