/** Repeats calls that failed because of the world, not because of what they asked. */
import { Code, MusterError } from '../error.ts';

/** How transport failures are repeated. The call's own `request_id` keeps a repeat from doing the work twice. */
export interface TransportRetry {
  /** Calls in all, the first included. Default: 10. */
  readonly maxAttempts: number;
  /** Upper bound of the first wait in milliseconds; it doubles each time and is drawn evenly from zero. Default: 50. */
  readonly minBackoffMs: number;
  /** Cap of every wait in milliseconds. Default: 2,000. */
  readonly maxBackoffMs: number;
}

export const DEFAULT_RETRY: TransportRetry = { maxAttempts: 10, minBackoffMs: 50, maxBackoffMs: 2_000 };

/** What one logical call may take in all, over its repeats. */
export interface CallBudget {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `call` until it succeeds, fails for good, or the budget is used up. `call` gets the time that is left.
 *
 * @throws MusterError of the last try.
 */
export async function withRetry<T>(
  retry: TransportRetry,
  budget: CallBudget,
  call: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const end = performance.now() + budget.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(Math.max(1, end - performance.now()));
    } catch (error) {
      const wait = backoff(retry, attempt, error);
      if (wait === undefined || performance.now() + wait >= end) throw error;
      await pause(wait, budget.signal);
    }
  }
}

/** Milliseconds until the next try, or `undefined` when there is to be none. */
export function backoff(retry: TransportRetry, attempt: number, error: unknown): number | undefined {
  if (!(error instanceof MusterError) || attempt >= retry.maxAttempts) return undefined;
  const { code, reason, retryDelayMs } = error;
  // A throttle's refusal is what the definition asks for.
  const overloaded = code === Code.RESOURCE_EXHAUSTED && retryDelayMs !== undefined && reason !== 'THROTTLED';
  if (code !== Code.UNAVAILABLE && !overloaded) return undefined;
  const cap = Math.min(retry.maxBackoffMs, retry.minBackoffMs * 2 ** (attempt - 1));
  return (retryDelayMs ?? 0) + Math.random() * cap;
}

/** Resolves after `ms`; rejects with CANCELLED as soon as `signal` says so. */
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
