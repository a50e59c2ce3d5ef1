/** Calls whose outcome must be known in the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { isUnknown } from '../harness/outcomes.ts';

/** The bound of each wait of the work under way. */
export const LONG_MS = 300_000;
export const PAUSE_MS = 300;

/** Repeats a call, under its request id if it has one, until its outcome is known, for some minutes. */
export async function repeated<T>(call: () => Promise<T>): Promise<T> {
  const end = performance.now() + LONG_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isUnknown(error) || performance.now() > end) throw error;
      await delay(PAUSE_MS);
    }
  }
}
