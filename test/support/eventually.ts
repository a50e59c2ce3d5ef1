/** Waits for a fact by looking again and again, never by guessing how long it takes. */
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Time after which the wait fails. Default 20,000 ms. */
  readonly timeoutMs?: number;
  /** Time between two looks. Default 5 ms. */
  readonly everyMs?: number;
}

/**
 * Resolves with the first value of `probe` that is neither false, null nor undefined. While `probe` throws, the fact is
 * not there yet.
 *
 * @throws Error that names `what` and the last thing that `probe` threw, once the time is up.
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
