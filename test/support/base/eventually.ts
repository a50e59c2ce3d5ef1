/** Waits for a condition by polling, without assumptions on its duration. */
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Timeout of the wait. Default 20,000 ms. */
  readonly timeoutMs?: number;
  /** Interval of the polls. Default 5 ms. */
  readonly everyMs?: number;
}

/**
 * Resolves with the first value of `probe` that is neither false, null nor undefined. An error of `probe` counts as not
 * yet.
 *
 * @throws Error with `what` and the last error of `probe`, after the timeout.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = 20_000, everyMs = 5 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined)
        return value as Exclude<T, false | null | undefined>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
    await delay(everyMs);
  }
}
