/** What a definition says of retries. */
import type { Backoff } from './backoff.ts';
import type { RetryCause, RetryRule } from './retry-rules.ts';

/** What is left out where it is the default keeps the content, and so the version, that an older release stored. */
export interface RetryPolicy extends Backoff {
  readonly maxAttempts: number;
  /** Total time after creation in which another attempt may begin; 0 is no limit. */
  readonly maxRetryDurationMs: number;
  readonly nonRetryableTypes: readonly string[];
  /** In order. Left out: none. */
  readonly rules?: readonly RetryRule[];
  /** Attempts that may fail for one cause; a cause that is left out has no limit of its own. */
  readonly limits?: Readonly<Partial<Record<RetryCause, number>>>;
}

/** What a definition says. */
export interface RetryBudget {
  /** Retries allowed for each first attempt. */
  readonly ratio: number;
  /** Retries that are always allowed in a minute. */
  readonly minPerMinute: number;
}

/** Whose budget a retry is taken from. */
export interface BudgetOf extends RetryBudget {
  readonly namespace: string;
  readonly definition: string;
}
