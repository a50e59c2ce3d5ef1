/** Retries calls that failed for transport reasons or overload. */
import { Code, MusterError } from '../error.ts';
import type { Known } from '../options/known-options.ts';

/** How transport failures are retried. The `request_id` of the call makes the retries idempotent. */
export interface TransportRetry {
  /** Maximum number of tries, the first included. Default: 10. */
  readonly maxAttempts: number;
  /**
   * Upper bound of the first wait in milliseconds; it doubles each time. Waits are drawn uniformly from zero. Default:
   * 50.
   */
  readonly minBackoffMs: number;
  /** Maximum wait in milliseconds. Default: 2,000. */
  readonly maxBackoffMs: number;
}

export const transportRetry: Known<TransportRetry> = { maxAttempts: true, minBackoffMs: true, maxBackoffMs: true };

export const DEFAULT_RETRY: TransportRetry = { maxAttempts: 10, minBackoffMs: 50, maxBackoffMs: 2_000 };

/** A try with another replica after it gets this part of the budget, and at least `MIN_TRY_MS`. */
const TRY_SHARE = 1 / 3;
const MIN_TRY_MS = 1_000;

/** Bounds a call including its retries. */
export interface CallBudget {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** There are several replicas: one that does not answer costs a share of the budget. Default: false. */
  readonly isShared?: boolean;
}

/**
 * Runs `call` until it succeeds, fails permanently, or the budget is used up. `call` gets the remaining time, or its
 * share.
 *
 * @throws MusterError of the last try.
 */
export async function withRetry<T>(
  retry: TransportRetry,
  budget: CallBudget,
  call: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const end = performance.now() + budget.timeoutMs;
  const share = budget.isShared ? Math.max(MIN_TRY_MS, budget.timeoutMs * TRY_SHARE) : budget.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const left = Math.max(1, end - performance.now());
    const isLast = left < share + MIN_TRY_MS || attempt >= retry.maxAttempts;
    try {
      return await call(isLast ? left : share);
    } catch (error) {
      const wait = !isLast && isOverdue(error) ? 0 : backoff(retry, attempt, error);
      if (wait === undefined || performance.now() + wait >= end) throw error;
      await pause(wait, budget.signal);
    }
  }
}

function isOverdue(error: unknown): boolean {
  return error instanceof MusterError && error.code === Code.DEADLINE_EXCEEDED;
}

/** Milliseconds until the next try, or `undefined` when the error is not retryable or no tries are left. */
export function backoff(retry: TransportRetry, attempt: number, error: unknown): number | undefined {
  if (!(error instanceof MusterError) || attempt >= retry.maxAttempts) return undefined;
  const { code, reason, retryDelayMs } = error;
  // A throttle refuses by design of the definition, so a retry would defeat it.
  const overloaded = code === Code.RESOURCE_EXHAUSTED && retryDelayMs !== undefined && reason !== 'THROTTLED';
  if (code !== Code.UNAVAILABLE && !overloaded) return undefined;
  const cap = Math.min(retry.maxBackoffMs, retry.minBackoffMs * 2 ** (attempt - 1));
  return (retryDelayMs ?? 0) + Math.random() * cap;
}

/** Resolves after `ms`; rejects with CANCELLED as soon as `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(new MusterError({ code: Code.CANCELLED, message: 'the caller ended the call', cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
