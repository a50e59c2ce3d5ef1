/** What is followed over streams that may break, and is asked for anew where it was left. */
import type { Calls } from './calls.ts';
import { backoff, pause } from './transport-retry.ts';

/** What a message brings that was not told before, and whether it is the last one. */
export interface Taken<T> {
  readonly items: readonly T[];
  readonly isOver: boolean;
}

/**
 * @param open Asks for a stream that goes on where the last one was left.
 * @param take Reads a message, and notes where to go on.
 * @throws MusterError what a stream failed with, if it is worth no repeat.
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
