/** A definition's retry settings. */
import type { Backoff } from './backoff.ts';
import type { RetryCause, RetryRule } from './retry-rules.ts';

/**
 * A field with its default value is left out: so the content, and thereby the version, equals what an older release
 * stored.
 */
export interface RetryPolicy extends Backoff {
  readonly maxAttempts: number;
  /** Time after creation, or since a person resumed it, within which another attempt may begin; 0: no limit. */
  readonly maxRetryDurationMs: number;
  readonly nonRetryableTypes: readonly string[];
  /** In order. Left out: none. */
  readonly rules?: readonly RetryRule[];
  /** Maximum failed attempts per cause; a cause that is left out has no limit of its own. */
  readonly limits?: Readonly<Partial<Record<RetryCause, number>>>;
  /** What becomes of a job that has no further attempt. Left out: it fails. */
  readonly onExhaustion?: 'PAUSE';
}

/** A definition's retry budget. */
export interface RetryBudget {
  /** Retries allowed per first attempt. */
  readonly ratio: number;
  /** Retries that are always allowed per minute. */
  readonly minPerMinute: number;
}

/** A budget with the definition to which it belongs, and when the retry asks. */
export interface BudgetOf extends RetryBudget {
  readonly namespace: string;
  readonly definition: string;
  /** Minutes since 1970. */
  readonly minute: number;
}
