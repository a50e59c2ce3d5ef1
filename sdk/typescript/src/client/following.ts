/** Follows a server stream: when it breaks, opens it again where it stopped. */
import type { Calls } from './calls.ts';
import { backoff, pause } from './transport-retry.ts';

/** The new items of a message, and whether the message is the last one. */
export interface Taken<T> {
  readonly items: readonly T[];
  readonly isOver: boolean;
}

/**
 * @param open Opens a stream that continues where the last one stopped.
 * @param take Reads a message, and notes where to continue.
 * @throws MusterError of the stream, if the error is not retryable.
 */
export async function* following<M, T>(
  retry: Calls['retry'],
  signal: AbortSignal | undefined,
  open: () => AsyncIterable<M>,
  take: (message: M) => Taken<T>,
): AsyncGenerator<T, void> {
  for (let failures = 0; ; ) {
    try {
      for await (const message of open()) {
        failures = 0;
        const { items, isOver } = take(message);
        yield* items;
        if (isOver) return;
      }
      failures++;
      await pause(retry.minBackoffMs, signal);
    } catch (error) {
      const wait = backoff(retry, ++failures, error);
      if (wait === undefined) throw error;
      await pause(wait, signal);
    }
  }
}
